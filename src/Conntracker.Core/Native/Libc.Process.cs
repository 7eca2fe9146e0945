using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The C library's calls to look at processes below /proc. Man pages: openat(2), readlinkat(2), open_by_handle_at(2).</summary>
internal static unsafe partial class Libc
{
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int openat(SafeFileDescriptor dirfd, string pathname, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint readlinkat(SafeFileDescriptor dirfd, string pathname, byte* buf, nuint bufsiz);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int open_by_handle_at(SafeFileDescriptor mount_fd, void* handle, int flags);
}
