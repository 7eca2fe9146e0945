namespace Conntracker.Core.Native;

/// <summary>How rules of x_tables are read, under the C names (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h).</summary>
internal static class IptablesConstants
{
    public const int XT_TABLE_MAXNAMELEN = 32;
    public const int IPT_SO_GET_INFO = 64;
    public const int IPT_SO_GET_ENTRIES = 65;
    public const int IP6T_SO_GET_INFO = 64;
    public const int IP6T_SO_GET_ENTRIES = 65;
}
