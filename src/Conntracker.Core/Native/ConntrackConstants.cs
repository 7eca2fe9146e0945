namespace Conntracker.Core.Native;

/// <summary>
/// Constants of linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h and nf_conntrack_common.h, under their C names.
/// </summary>
internal static class ConntrackConstants
{
    public const int NFNL_SUBSYS_CTNETLINK = 1;
    public const int NFNETLINK_V0 = 0;
    public const int NFNLGRP_CONNTRACK_NEW = 1;
    public const int NFNLGRP_CONNTRACK_UPDATE = 2;
    public const int NFNLGRP_CONNTRACK_DESTROY = 3;

    public const int IPCTNL_MSG_CT_NEW = 0;
    public const int IPCTNL_MSG_CT_GET = 1;
    public const int IPCTNL_MSG_CT_DELETE = 2;

    public const int CTA_TUPLE_ORIG = 1;
    public const int CTA_TUPLE_REPLY = 2;
    public const int CTA_STATUS = 3;
    public const int CTA_PROTOINFO = 4;
    public const int CTA_TIMEOUT = 7;
    public const int CTA_MARK = 8;
    public const int CTA_COUNTERS_ORIG = 9;
    public const int CTA_COUNTERS_REPLY = 10;
    public const int CTA_ID = 12;
    public const int CTA_ZONE = 18;
    public const int CTA_TIMESTAMP = 20;

    public const int CTA_TUPLE_IP = 1;
    public const int CTA_TUPLE_PROTO = 2;
    public const int CTA_TUPLE_ZONE = 3;
    public const int CTA_IP_V4_SRC = 1;
    public const int CTA_IP_V4_DST = 2;
    public const int CTA_IP_V6_SRC = 3;
    public const int CTA_IP_V6_DST = 4;
    public const int CTA_PROTO_NUM = 1;
    public const int CTA_PROTO_SRC_PORT = 2;
    public const int CTA_PROTO_DST_PORT = 3;
    public const int CTA_PROTO_ICMP_ID = 4;
    public const int CTA_PROTO_ICMP_TYPE = 5;
    public const int CTA_PROTO_ICMP_CODE = 6;
    public const int CTA_PROTO_ICMPV6_ID = 7;
    public const int CTA_PROTO_ICMPV6_TYPE = 8;
    public const int CTA_PROTO_ICMPV6_CODE = 9;
    public const int CTA_PROTOINFO_TCP = 1;
    public const int CTA_PROTOINFO_DCCP = 2;
    public const int CTA_PROTOINFO_SCTP = 3;
    public const int CTA_PROTOINFO_TCP_STATE = 1;
    public const int CTA_PROTOINFO_DCCP_STATE = 1;
    public const int CTA_PROTOINFO_SCTP_STATE = 1;
    public const int CTA_COUNTERS_PACKETS = 1;
    public const int CTA_COUNTERS_BYTES = 2;
    public const int CTA_TIMESTAMP_START = 1;

    public const int IP_CT_ESTABLISHED = 0;

    public const int IPS_SEEN_REPLY = 2;
    public const int IPS_ASSURED = 4;
    public const int IPS_CONFIRMED = 8;
    public const int IPS_SRC_NAT = 0x10;
    public const int IPS_DST_NAT = 0x20;
    public const int IPS_TEMPLATE = 0x800;
    public const int IPS_OFFLOAD = 0x4000;
    public const int IPS_HW_OFFLOAD = 0x8000;
}
