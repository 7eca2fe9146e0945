namespace Conntracker.Core.Netlink;

/// <summary>The alignment of netlink: NLMSG_ALIGN and NLA_ALIGN of linux/netlink.h.</summary>
internal static class NetlinkAlignment
{
    /// <summary>The length rounded up to a multiple of four.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}
