namespace Conntracker.Core.Native;

/// <summary>Constants of linux/netfilter/ipset/ip_set.h, under their C names.</summary>
internal static class IpSetConstants
{
    public const int NFNL_SUBSYS_IPSET = 6;
    public const int IPSET_CMD_LIST = 7;
    public const int IPSET_ATTR_PROTOCOL = 1;
    public const int IPSET_ATTR_FLAGS = 6;
    public const byte IPSET_PROTOCOL_MIN = 6;
    public const uint IPSET_FLAG_LIST_SETNAME = 2;
}
