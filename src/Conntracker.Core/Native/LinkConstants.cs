namespace Conntracker.Core.Native;

/// <summary>Constants of linux/rtnetlink.h, linux/if_link.h and linux/net_namespace.h for links between network namespaces, under their C names.</summary>
internal static class LinkConstants
{
    public const int RTM_NEWLINK = 16;
    public const int RTM_GETLINK = 18;
    public const int RTM_NEWNSID = 88;
    public const int RTM_GETNSID = 90;
    public const int IFLA_EXT_MASK = 29;
    public const int IFLA_LINK_NETNSID = 37;
    public const int IFLA_TARGET_NETNSID = 46;
    public const int RTEXT_FILTER_SKIP_STATS = 8;
    public const int NETNSA_NSID = 1;
    public const int NETNSA_FD = 3;
}
