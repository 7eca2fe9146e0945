namespace Conntracker.Core.Native;

/// <summary>Constants of linux/rtnetlink.h for routes, under their C names.</summary>
internal static class RouteConstants
{
    public const int RTM_NEWROUTE = 24;
    public const int RTM_DELROUTE = 25;
    public const int RTM_GETROUTE = 26;
    public const int RTNLGRP_IPV4_ROUTE = 7;
    public const int RTNLGRP_IPV6_ROUTE = 11;
    public const int RT_TABLE_LOCAL = 255;
    public const int RTN_LOCAL = 2;
    public const int RTN_BROADCAST = 3;
    public const int RTN_ANYCAST = 4;
    public const int RTM_F_CLONED = 0x200;
    public const int RTA_DST = 1;
}
