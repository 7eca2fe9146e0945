namespace Conntracker.Core.Native;

/// <summary>Constants of sockets that Tmds.LibC lacks, under their C names.</summary>
internal static class SocketConstants
{
    public const int SO_NETNS_COOKIE = 71;
    public const int NETLINK_ADD_MEMBERSHIP = 1;
    public const int NETLINK_DROP_MEMBERSHIP = 2;
    public const int NETLINK_EXT_ACK = 11;
    public const int NETLINK_GET_STRICT_CHK = 12;
}
