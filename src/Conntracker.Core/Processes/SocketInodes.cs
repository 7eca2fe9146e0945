using System.Diagnostics;
using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// Finds the process that holds a socket's inode, in /proc/PID/fd. A walk over all processes takes long: it runs only for an inode that is not known
/// yet, and never for more than a tenth of the time.
/// </summary>
internal sealed unsafe class SocketInodes
{
    private const int MaximumSockets = 262_144;
    private const int PauseFactor = 9;
    private const int LongestLink = 64;
    private const string Prefix = "socket:[";

    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(20);

    private readonly Dictionary<uint, (int Process, string Descriptor)> _holders = [];
    private long _nextWalk;

    /// <summary>The process that holds a socket; 0 when none is found.</summary>
    /// <param name="inode">The socket's inode.</param>
    public int HolderOf(uint inode)
    {
        if (inode == 0)
        {
            return 0;
        }

        if (!TryHolder(inode, out int holder))
        {
            WalkWhenDue();
            TryHolder(inode, out holder);
        }

        return holder;
    }

    // The process may be gone, its id reused, or its descriptor closed or used for another file: only a process that holds the socket now is its
    // holder.
    private bool TryHolder(uint inode, out int holder)
    {
        byte* link = stackalloc byte[LongestLink];
        holder = 0;
        if (_holders.TryGetValue(inode, out (int Process, string Descriptor) known))
        {
            using SafeFileDescriptor root = new(SafeLibC.open(
                string.Create(CultureInfo.InvariantCulture, $"/proc/{known.Process}/fd"), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
            int length = root.IsInvalid ? 0 : (int)SafeLibC.readlinkat(root, known.Descriptor, link, LongestLink);
            if (TryParse(new ReadOnlySpan<byte>(link, Math.Max(0, length)), out uint held) && held == inode)
            {
                holder = known.Process;
            }
        }

        return holder != 0;
    }

    private void WalkWhenDue()
    {
        long start = Stopwatch.GetTimestamp();
        if (start < _nextWalk)
        {
            return;
        }

        _holders.Clear();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
            {
                WalkDescriptors(process, folder + "/fd");
            }
        }

        long end = Stopwatch.GetTimestamp();
        long pause = Math.Max((end - start) * PauseFactor, (long)(s_shortestPause.TotalSeconds * Stopwatch.Frequency));
        _nextWalk = end + pause;
    }

    private void WalkDescriptors(int process, string folder)
    {
        byte* link = stackalloc byte[LongestLink];
        using SafeFileDescriptor directory = new(SafeLibC.open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
        if (directory.IsInvalid)
        {
            return;
        }

        try
        {
            foreach (string descriptor in Directory.EnumerateFiles(folder))
            {
                int length = (int)SafeLibC.readlinkat(directory, Path.GetFileName(descriptor), link, LongestLink);
                if (TryParse(new ReadOnlySpan<byte>(link, Math.Max(0, length)), out uint inode) && _holders.Count < MaximumSockets)
                {
                    // The first one found: among related processes that share a socket, the oldest.
                    _holders.TryAdd(inode, (process, Path.GetFileName(descriptor)));
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has ended.
        }
    }

    private static bool TryParse(ReadOnlySpan<byte> link, out uint inode)
    {
        inode = 0;
        return link.StartsWith("socket:["u8) && link[^1] == (byte)']'
            && uint.TryParse(link[Prefix.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out inode);
    }
}
