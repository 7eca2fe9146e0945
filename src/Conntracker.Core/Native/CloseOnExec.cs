using System.Globalization;

namespace Conntracker.Core.Native;

/// <summary>
/// Keeps descriptors that libraries open from programs that this process starts. What these inherit outlives the process: a background
/// job would keep the table that belongs to a socket, or an interface's promiscuous mode.
/// </summary>
internal static unsafe class CloseOnExec
{
    /// <summary>Keeps a descriptor from programs that are started from now on.</summary>
    /// <param name="fd">Its number.</param>
    public static void Set(int fd) => _ = Libc.fcntl(fd, FileConstants.F_SETFD, FileConstants.FD_CLOEXEC);

    /// <summary>
    /// Keeps all netlink sockets of a protocol from programs that are started from now on: for a library that does not say which ones are
    /// its own. Nobody means such a socket to be inherited.
    /// </summary>
    /// <param name="protocol">NETLINK_*.</param>
    public static void SetOnNetlink(int protocol)
    {
        foreach (string path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int fd)
                && IsOption(fd, SocketConstants.SO_DOMAIN, SocketConstants.AF_NETLINK)
                && IsOption(fd, SocketConstants.SO_PROTOCOL, protocol))
            {
                Set(fd);
            }
        }
    }

    // False for what is no socket, or was closed meanwhile.
    private static bool IsOption(int fd, int option, int wanted)
    {
        int value;
        uint length = sizeof(int);
        return Libc.getsockopt(fd, SocketConstants.SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
    }
}
