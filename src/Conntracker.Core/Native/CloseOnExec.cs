using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Native;

/// <summary>
/// Keeps programs that this process starts from inheriting descriptors of libraries. An inherited descriptor outlives the process: a background
/// job would keep the table that belongs to a socket, or an interface's promiscuous mode.
/// </summary>
internal static unsafe class CloseOnExec
{
    /// <summary>Keeps programs that are started later from inheriting a descriptor.</summary>
    /// <param name="fd">The descriptor.</param>
    public static void Set(int fd) => _ = LibC.fcntl(fd, F_SETFD, FD_CLOEXEC);

    /// <summary>
    /// Keeps programs that are started later from inheriting any netlink socket of a protocol: for a library that does not say which ones are
    /// its own. No program relies on inheriting such a socket.
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

    // False for a descriptor that is not a socket, or was closed in between.
    private static bool IsOption(int fd, int option, int wanted)
    {
        int value;
        socklen_t length = sizeof(int);
        return LibC.getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
    }
}
