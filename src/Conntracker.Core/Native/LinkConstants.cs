namespace Conntracker.Core.Native;

/// <summary>
/// Constants of linux/rtnetlink.h, linux/if_link.h, linux/if.h, linux/if_arp.h, linux/veth.h and linux/net_namespace.h for network devices, under their
/// C names.
/// </summary>
internal static class LinkConstants
{
    public const int RTM_NEWLINK = 16;
    public const int RTM_GETLINK = 18;
    public const int RTM_NEWNSID = 88;
    public const int RTM_GETNSID = 90;
    public const int RTM_NEWLINKPROP = 108;
    public const int ARPHRD_LOOPBACK = 772;
    public const int IFLA_ADDRESS = 1;
    public const int IFLA_IFNAME = 3;
    public const int IFLA_MTU = 4;
    public const int IFLA_MASTER = 10;
    public const int IFLA_LINKINFO = 18;
    public const int IFLA_GROUP = 27;
    public const int IFLA_NET_NS_FD = 28;
    public const int IFLA_PROP_LIST = 52;
    public const int IFLA_ALT_IFNAME = 53;
    public const int IFLA_INFO_KIND = 1;
    public const int IFLA_INFO_DATA = 2;
    public const int VETH_INFO_PEER = 1;
    public const int IFF_UP = 1;
    public const int IFF_NOARP = 0x80;
    public const int IFLA_EXT_MASK = 29;
    public const int IFLA_LINK_NETNSID = 37;
    public const int IFLA_TARGET_NETNSID = 46;
    public const int RTEXT_FILTER_SKIP_STATS = 8;
    public const int NETNSA_NSID = 1;
    public const int NETNSA_FD = 3;
}
