using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Native;

/// <summary>
/// Keeps descriptors that libraries open from programs that this process starts. What these inherit outlives the process: a background
/// job would keep the table that belongs to a socket, or an interface's promiscuous mode.
/// </summary>
internal static unsafe class CloseOnExec
{
    /// <summary>Keeps a descriptor from programs that are started from now on.</summary>
    /// <param name="fd">Its number.</param>
    public static void Set(int fd) => _ = LibC.fcntl(fd, F_SETFD, FD_CLOEXEC);

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
                && IsOption(fd, SO_DOMAIN, AF_NETLINK)
                && IsOption(fd, SO_PROTOCOL, protocol))
            {
                Set(fd);
            }
        }
    }

    // False for what is no socket, or was closed meanwhile.
    private static bool IsOption(int fd, int option, int wanted)
    {
        int value;
        socklen_t length = sizeof(int);
        return LibC.getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
    }
}
