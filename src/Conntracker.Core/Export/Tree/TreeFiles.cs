using Conntracker.Core.Export.Files;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Export.Tree;

/// <summary>The system calls on a tree's entries: each is one empty file, whose modification time is when its flows were last seen.</summary>
/// <param name="directories">The tree's directories; the owner of this object disposes them.</param>
internal sealed unsafe class TreeFiles(TreeDirectories directories)
{
    /// <summary>Creates an entry's file, and its directory if that was removed.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="lastSeen">Its time: ticks of UTC; 0 for now.</param>
    /// <returns>False when it exists already.</returns>
    /// <exception cref="LogFileException">It cannot be created.</exception>
    public bool Create(in TreeEntry entry, long lastSeen)
    {
        bool isMade = TryCreate(in entry, lastSeen, out int errno);
        if (!isMade && errno == ENOENT)
        {
            // The directory that is held open has been removed from the tree.
            directories.Forget(entry.Section);
            isMade = TryCreate(in entry, lastSeen, out errno);
        }

        return isMade || errno == EEXIST ? isMade : throw LogFileErrors.FromTree(PathOf(in entry), "creating the entry", errno);
    }

    /// <summary>Sets the time of an entry's file. A symbolic link in its place is not followed.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="lastSeen">The time: ticks of UTC.</param>
    /// <returns>False when there is no such file.</returns>
    /// <exception cref="LogFileException">The time cannot be set.</exception>
    public bool SetTime(in TreeEntry entry, long lastSeen)
    {
        byte* name = stackalloc byte[TreeName.MaxLength + 1];
        WriteName(name, in entry);
        timespec* times = stackalloc timespec[2];
        WriteTimes(times, lastSeen);
        if (SafeLibC.utimensat(directories.Get(entry.Section, entry.Protocol), name, times, AT_SYMLINK_NOFOLLOW) == 0)
        {
            return true;
        }

        int errno = Errno.Last;
        return errno == ENOENT ? false : throw LogFileErrors.FromTree(PathOf(in entry), "setting the entry's time", errno);
    }

    /// <summary>The time of an entry's file: ticks of UTC; null when there is no such file, or its time cannot be read.</summary>
    public long? Time(in TreeEntry entry)
    {
        statx status;
        byte* name = stackalloc byte[TreeName.MaxLength + 1];
        WriteName(name, in entry);
        return SafeLibC.statx(directories.Get(entry.Section, entry.Protocol), name, AT_SYMLINK_NOFOLLOW, STATX_MTIME, &status) == 0
            ? DateTime.UnixEpoch.Ticks + (status.stx_mtime.tv_sec * TimeSpan.TicksPerSecond) + (status.stx_mtime.tv_nsec / TimeSpan.NanosecondsPerTick)
            : null;
    }

    private bool TryCreate(in TreeEntry entry, long lastSeen, out int errno)
    {
        SafeFileHandle directory = directories.Get(entry.Section, entry.Protocol);
        byte* name = stackalloc byte[TreeName.MaxLength + 1];
        WriteName(name, in entry);
        int fd;
        do
        {
            fd = SafeLibC.openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
            errno = fd < 0 ? Errno.Last : 0;
        }
        while (errno == EINTR);

        if (fd < 0)
        {
            return false;
        }

        if (lastSeen != 0)
        {
            // A new file has the current time, which is close enough.
            timespec* times = stackalloc timespec[2];
            WriteTimes(times, lastSeen);
            _ = LibC.futimens(fd, times);
        }

        _ = LibC.close(fd);
        return true;
    }

    // The time of access is left as it is.
    private static void WriteTimes(timespec* times, long ticks)
    {
        // Nothing was seen before 1970, and a file's time is not set before it.
        (long seconds, long rest) = Math.DivRem(Math.Max(0, ticks - DateTime.UnixEpoch.Ticks), TimeSpan.TicksPerSecond);
        times[0].tv_nsec = (long_t)UTIME_OMIT;
        times[1].tv_sec = seconds;
        times[1].tv_nsec = (long_t)(rest * TimeSpan.NanosecondsPerTick);
    }

    private static void WriteName(byte* name, in TreeEntry entry) => name[TreeName.Write(new Span<byte>(name, TreeName.MaxLength), in entry)] = 0;

    private string PathOf(in TreeEntry entry)
    {
        Span<byte> name = stackalloc byte[TreeName.MaxLength];
        int length = TreeName.Write(name, in entry);
        return System.IO.Path.Combine(directories.PathOf(entry.Section, entry.Protocol), System.Text.Encoding.UTF8.GetString(name[..length]));
    }
}
