namespace Conntracker.Core.Native;

/// <summary>Constants of linux/netlink.h and linux/rtnetlink.h, under their C names.</summary>
internal static class NetlinkConstants
{
    public const int NETLINK_ROUTE = 0;
    public const int NETLINK_SOCK_DIAG = 4;
    public const int NETLINK_CONNECTOR = 11;
    public const int NETLINK_NETFILTER = 12;

    public const int NLMSG_ERROR = 2;
    public const int NLMSG_DONE = 3;

    public const int NLM_F_REQUEST = 1;
    public const int NLM_F_MULTI = 2;
    public const int NLM_F_ACK = 4;
    public const int NLM_F_DUMP_INTR = 0x10;
    public const int NLM_F_EXCL = 0x200;
    public const int NLM_F_DUMP = 0x300;
    public const int NLM_F_CREATE = 0x400;
    public const int NLM_F_APPEND = 0x800;
    public const int NLM_F_CAPPED = 0x100;
    public const int NLM_F_ACK_TLVS = 0x200;
    public const int NLMSGERR_ATTR_MSG = 1;

    public const int NLA_F_NESTED = 0x8000;
    public const int NLA_F_NET_BYTEORDER = 0x4000;
    public const int NLA_TYPE_MASK = 0x3fff;

    public const int RTM_NEWADDR = 20;
    public const int RTM_GETADDR = 22;
    public const int RTNLGRP_IPV4_IFADDR = 5;
    public const int RTNLGRP_IPV6_IFADDR = 9;
    public const int IFA_ADDRESS = 1;
    public const int IFA_LOCAL = 2;
    public const int IFA_BROADCAST = 4;
    public const int IFA_FLAGS = 8;
    public const int IFA_F_NODAD = 0x02;
    public const int IFA_F_NOPREFIXROUTE = 0x200;
}
