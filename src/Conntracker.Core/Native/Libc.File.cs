using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Conntracker.Core.Native;

/// <summary>The C library's files. Man pages: open(2), fcntl(2), fdopen(3), mkdir(2), getdents(2), lseek(2), statx(2), fsync(2), rename(2), link(2), unlink(2), write(2), sync_file_range(2), geteuid(2).</summary>
internal static unsafe partial class Libc
{
    // open and openat are variadic in C; on the ABIs of Linux that .NET runs on, a fixed argument list calls them the same way.
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string pathname, int flags);

    // Variadic as open is.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int fcntl(int fd, int cmd, int arg);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint fdopen(int fd, string mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fclose(nint stream);

    [LibraryImport(Library, SetLastError = true)]
    public static partial long lseek(SafeFileDescriptor fd, long offset, int whence);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int openat(SafeFileHandle dirfd, string pathname, int flags, uint mode);

    // For names that are made where they are used: ends with a zero byte.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int openat(SafeFileHandle dirfd, byte* pathname, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdirat(SafeFileHandle dirfd, string pathname, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint getdents64(SafeFileHandle fd, void* dirp, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int statx(SafeFileHandle dirfd, byte* pathname, int flags, uint mask, statx* statxbuf);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(SafeFileHandle dirfd, string pathname, int flags, uint mask, statx* statxbuf);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fsync(SafeFileHandle fd);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat2(SafeFileHandle olddirfd, string oldpath, SafeFileHandle newdirfd, string newpath, uint flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int linkat(SafeFileHandle olddirfd, string oldpath, SafeFileHandle newdirfd, string newpath, int flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlinkat(SafeFileHandle dirfd, string pathname, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(SafeFileHandle fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sync_file_range(SafeFileHandle fd, long offset, long nbytes, uint flags);

    [LibraryImport(Library)]
    public static partial uint geteuid();
}
