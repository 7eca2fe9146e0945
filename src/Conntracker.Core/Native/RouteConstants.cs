namespace Conntracker.Core.Native;

/// <summary>Constants of linux/rtnetlink.h and linux/fib_rules.h for routes and routing rules, under their C names.</summary>
internal static class RouteConstants
{
    public const int RTM_NEWROUTE = 24;
    public const int RTM_DELROUTE = 25;
    public const int RTM_GETROUTE = 26;
    public const int RTNLGRP_IPV4_ROUTE = 7;
    public const int RTNLGRP_IPV6_ROUTE = 11;
    public const int RT_TABLE_DEFAULT = 253;
    public const int RT_TABLE_MAIN = 254;
    public const int RT_TABLE_LOCAL = 255;
    public const int RTPROT_KERNEL = 2;
    public const int RTN_UNICAST = 1;
    public const int RTN_LOCAL = 2;
    public const int RTN_BROADCAST = 3;
    public const int RTN_ANYCAST = 4;
    public const int RTN_MULTICAST = 5;
    public const int RTN_THROW = 9;
    public const int RTM_F_CLONED = 0x200;
    public const int RTNH_F_ONLINK = 4;
    public const int RTA_DST = 1;
    public const int RTA_OIF = 4;
    public const int RTA_GATEWAY = 5;
    public const int RTA_PRIORITY = 6;
    public const int RTA_PREFSRC = 7;
    public const int RTA_MULTIPATH = 9;
    public const int RTA_TABLE = 15;
    public const int RTA_MARK = 16;
    public const int RTA_VIA = 18;
    public const int RTPROT_STATIC = 4;
    public const int RT_SCOPE_LINK = 253;
    public const int RT_SCOPE_HOST = 254;
    public const int RTN_BLACKHOLE = 6;
    public const int RTN_UNREACHABLE = 7;
    public const int RTN_PROHIBIT = 8;
    public const int RTN_NAT = 10;

    public const int RTM_NEWRULE = 32;
    public const int RTM_GETRULE = 34;
    public const int FRA_DST = 1;
    public const int FRA_SRC = 2;
    public const int FRA_IIFNAME = 3;
    public const int FRA_PRIORITY = 6;
    public const int FRA_FWMARK = 10;
    public const int FRA_FLOW = 11;
    public const int FRA_SUPPRESS_PREFIXLEN = 14;
    public const int FRA_TABLE = 15;
    public const int FRA_FWMASK = 16;
    public const int FRA_OIFNAME = 17;
    public const int FRA_PAD = 18;
    public const int FRA_PROTOCOL = 21;
    public const int FIB_RULE_INVERT = 2;
    public const int FR_ACT_TO_TBL = 1;
    public const int FR_ACT_BLACKHOLE = 6;
    public const int FR_ACT_UNREACHABLE = 7;
    public const int FR_ACT_PROHIBIT = 8;
}
