using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The C library's sockets, polling and namespaces. Man pages: socket(2), recvmmsg(2), poll(2), eventfd(2), setns(2).</summary>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int bind(SafeFileDescriptor sockfd, sockaddr_nl* addr, uint addrlen);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockname(SafeFileDescriptor sockfd, sockaddr_nl* addr, uint* addrlen);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsockopt(SafeFileDescriptor sockfd, int level, int optname, void* optval, uint optlen);

    // With a number: for sockets that another library owns.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsockopt(int sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockopt(SafeFileDescriptor sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockopt(int sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint send(SafeFileDescriptor sockfd, void* buf, nuint len, int flags);

    // SuppressGCTransition would stall a collection while the kernel builds a dump; the plain transition costs a few nanoseconds a batch.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int recvmmsg(SafeFileDescriptor sockfd, mmsghdr* msgvec, uint vlen, int flags, void* timeout);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int eventfd(uint initval, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(SafeFileDescriptor fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint read(SafeFileDescriptor fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setns(SafeHandle fd, int nstype);
}
