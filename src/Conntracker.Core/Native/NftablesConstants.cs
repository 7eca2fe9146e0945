namespace Conntracker.Core.Native;

/// <summary>Constants of linux/netfilter/nf_tables.h, nfnetlink.h and netfilter.h, under their C names.</summary>
internal static class NftablesConstants
{
    public const int NFNL_SUBSYS_NFTABLES = 10;
    public const int NFNLGRP_NFTABLES = 7;
    public const int NFNLGRP_NFTRACE = 9;

    public const int NFT_MSG_NEWTABLE = 0;
    public const int NFT_MSG_GETTABLE = 1;
    public const int NFT_MSG_DELTABLE = 2;
    public const int NFT_MSG_NEWCHAIN = 3;
    public const int NFT_MSG_DELCHAIN = 5;
    public const int NFT_MSG_NEWRULE = 6;
    public const int NFT_MSG_GETRULE = 7;
    public const int NFT_MSG_DELRULE = 8;
    public const int NFT_MSG_NEWGEN = 15;
    public const int NFT_MSG_TRACE = 17;
    public const int NFT_MSG_NEWOBJ = 18;
    public const int NFT_MSG_GETOBJ = 19;

    public const int NFTA_OBJ_TABLE = 1;
    public const int NFTA_OBJ_NAME = 2;
    public const int NFTA_OBJ_TYPE = 3;
    public const int NFTA_OBJ_DATA = 4;
    public const int NFT_OBJECT_COUNTER = 1;
    public const int NFTA_COUNTER_PACKETS = 2;

    public const int NFTA_TABLE_NAME = 1;
    public const int NFTA_TABLE_HANDLE = 4;
    public const int NFTA_CHAIN_HANDLE = 2;
    public const int NFTA_CHAIN_NAME = 3;
    public const int NFTA_CHAIN_HOOK = 4;
    public const int NFTA_RULE_TABLE = 1;
    public const int NFTA_RULE_CHAIN = 2;
    public const int NFTA_RULE_HANDLE = 3;
    public const int NFTA_RULE_EXPRESSIONS = 4;
    public const int NFTA_LIST_ELEM = 1;
    public const int NFTA_EXPR_NAME = 1;
    public const int NFTA_EXPR_DATA = 2;
    public const int NFTA_IMMEDIATE_DATA = 2;
    public const int NFTA_DATA_VERDICT = 2;

    public const int NFTA_TRACE_TABLE = 1;
    public const int NFTA_TRACE_CHAIN = 2;
    public const int NFTA_TRACE_RULE_HANDLE = 3;
    public const int NFTA_TRACE_TYPE = 4;
    public const int NFTA_TRACE_VERDICT = 5;
    public const int NFTA_TRACE_ID = 6;
    public const int NFTA_TRACE_LL_HEADER = 7;
    public const int NFTA_TRACE_NETWORK_HEADER = 8;
    public const int NFTA_TRACE_TRANSPORT_HEADER = 9;
    public const int NFTA_TRACE_IIF = 10;
    public const int NFTA_TRACE_OIF = 12;
    public const int NFTA_TRACE_POLICY = 16;

    public const int NFTA_VERDICT_CODE = 1;
    public const int NFTA_VERDICT_CHAIN = 2;

    public const int NFT_TRACETYPE_POLICY = 1;
    public const int NFT_TRACETYPE_RETURN = 2;
    public const int NFT_TRACETYPE_RULE = 3;

    public const int NFPROTO_INET = 1;
    public const int NFPROTO_IPV4 = 2;
    public const int NFPROTO_ARP = 3;
    public const int NFPROTO_NETDEV = 5;
    public const int NFPROTO_BRIDGE = 7;
    public const int NFPROTO_IPV6 = 10;

    public const int NF_DROP = 0;
    public const int NF_ACCEPT = 1;
    public const int NF_STOLEN = 2;
    public const int NF_QUEUE = 3;

    /// <summary>The low half of a verdict is the action, the high half a queue's number.</summary>
    public const int NF_VERDICT_MASK = 0xff;

    public const int NFT_CONTINUE = -1;
    public const int NFT_BREAK = -2;
    public const int NFT_JUMP = -3;
    public const int NFT_GOTO = -4;
    public const int NFT_RETURN = -5;

    // Since Linux 6.17; older headers lack it.
    public const int NFTA_TRACE_CT_ID = 18;
    public const int NFTA_TRACE_CT_DIRECTION = 19;
    public const int NFTA_TRACE_CT_STATUS = 20;
    public const int NFTA_TRACE_CT_STATE = 21;
}
