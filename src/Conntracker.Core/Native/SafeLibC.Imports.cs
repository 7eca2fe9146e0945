using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Conntracker.Core.Native;

/// <summary>
/// What <see cref="LibC"/> lacks. Man pages: recvmmsg(2), rename(2), getdents(2), fdopen(3), fclose(3), sched_setscheduler(2), setpriority(2),
/// clock_gettime(2), setfsuid(2).
/// </summary>
internal static unsafe partial class SafeLibC
{
    private const string Library = "libc";

    // SuppressGCTransition would stall a collection while the kernel builds a dump. The normal transition costs a few nanoseconds per batch.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int recvmmsg(SafeFileDescriptor sockfd, mmsghdr* msgvec, uint vlen, int flags, void* timeout);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat2(SafeFileHandle olddirfd, string oldpath, SafeFileHandle newdirfd, string newpath, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint getdents64(SafeFileHandle fd, void* dirp, nuint length);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint fdopen(int fd, string mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fclose(nint stream);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setpriority(int which, uint who, int prio);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int clock_gettime(int clockid, timespec* tp);

    // It belongs to the calling thread, and returns the previous number: there is no error.
    [LibraryImport(Library)]
    public static partial int setfsuid(uint fsuid);
}
