using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The C library's calls to look at processes below /proc, and to be in time for it. Man pages: openat(2), readlinkat(2), open_by_handle_at(2), sched_setscheduler(2), setpriority(2).</summary>
internal static unsafe partial class Libc
{
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int openat(SafeFileDescriptor dirfd, string pathname, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint readlinkat(SafeFileDescriptor dirfd, string pathname, byte* buf, nuint bufsiz);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int open_by_handle_at(SafeFileDescriptor mount_fd, void* handle, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setpriority(int which, uint who, int prio);
}
