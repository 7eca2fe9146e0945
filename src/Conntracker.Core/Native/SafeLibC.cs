using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Conntracker.Core.Native;

/// <summary>
/// Calls of <see cref="LibC"/> that take handles and strings, under their C names: a descriptor is not closed while a call uses it.
/// All other calls use <see cref="LibC"/> directly.
/// </summary>
internal static unsafe partial class SafeLibC
{
    public static int open(string pathname, int flags)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        return LibC.open(name.Pointer, flags, default);
    }

    public static int openat(SafeHandle dirfd, string pathname, int flags, mode_t mode)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        return openat(dirfd, name.Pointer, flags, mode);
    }

    public static int openat(SafeHandle dirfd, byte* pathname, int flags, mode_t mode)
    {
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.openat(directory.Number, pathname, flags, mode);
    }

    public static int mkdirat(SafeHandle dirfd, string pathname, mode_t mode)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.mkdirat(directory.Number, name.Pointer, mode);
    }

    public static int statx(SafeHandle dirfd, string pathname, int flags, uint mask, statx* statxbuf)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        return statx(dirfd, name.Pointer, flags, mask, statxbuf);
    }

    public static int statx(SafeHandle dirfd, byte* pathname, int flags, uint mask, statx* statxbuf)
    {
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.statx(directory.Number, pathname, flags, mask, statxbuf);
    }

    public static int utimensat(SafeHandle dirfd, byte* pathname, timespec* times, int flags)
    {
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.utimensat(directory.Number, pathname, times, flags);
    }

    public static int linkat(SafeHandle olddirfd, string oldpath, SafeHandle newdirfd, string newpath, int flags)
    {
        using CString from = new(oldpath, stackalloc byte[CString.BufferSize]);
        using CString to = new(newpath, stackalloc byte[CString.BufferSize]);
        using BorrowedDescriptor fromDirectory = new(olddirfd);
        using BorrowedDescriptor toDirectory = new(newdirfd);
        return LibC.linkat(fromDirectory.Number, from.Pointer, toDirectory.Number, to.Pointer, flags);
    }

    public static int unlinkat(SafeHandle dirfd, string pathname, int flags)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.unlinkat(directory.Number, name.Pointer, flags);
    }

    public static long readlinkat(SafeHandle dirfd, string pathname, byte* buf, int bufsiz)
    {
        using CString name = new(pathname, stackalloc byte[CString.BufferSize]);
        using BorrowedDescriptor directory = new(dirfd);
        return LibC.readlinkat(directory.Number, name.Pointer, buf, bufsiz);
    }

    public static int open_by_handle_at(SafeHandle mount_fd, void* handle, int flags)
    {
        using BorrowedDescriptor mount = new(mount_fd);
        return LibC.open_by_handle_at(mount.Number, (file_handle*)handle, flags);
    }

    public static int fstatvfs(SafeHandle fd, statvfs* buf)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.fstatvfs(file.Number, buf);
    }

    public static int fsync(SafeHandle fd)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.fsync(file.Number);
    }

    public static int sync_file_range(SafeHandle fd, long offset, long nbytes, uint flags)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.sync_file_range(file.Number, offset, nbytes, flags);
    }

    public static long lseek(SafeHandle fd, long offset, int whence)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.lseek(file.Number, offset, whence);
    }

    public static long write(SafeHandle fd, void* buf, int count)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.write(file.Number, buf, count);
    }

    public static long read(SafeHandle fd, void* buf, int count)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.read(file.Number, buf, count);
    }

    public static int bind(SafeHandle sockfd, sockaddr_nl* addr, uint addrlen)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.bind(socket.Number, (sockaddr*)addr, addrlen);
    }

    public static int getsockname(SafeHandle sockfd, sockaddr_nl* addr, uint* addrlen)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.getsockname(socket.Number, (sockaddr*)addr, (socklen_t*)addrlen);
    }

    public static int setsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint optlen)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.setsockopt(socket.Number, level, optname, optval, optlen);
    }

    public static int getsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint* optlen)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.getsockopt(socket.Number, level, optname, optval, (socklen_t*)optlen);
    }

    public static long send(SafeHandle sockfd, void* buf, int len, int flags)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.send(socket.Number, buf, len, flags);
    }

    public static long recv(SafeHandle sockfd, void* buf, int len, int flags)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.recv(socket.Number, buf, len, flags);
    }

    public static long sendto(SafeHandle sockfd, void* buf, int len, int flags, void* addr, uint addrlen)
    {
        using BorrowedDescriptor socket = new(sockfd);
        return LibC.sendto(socket.Number, buf, len, flags, (sockaddr*)addr, (socklen_t)addrlen);
    }

    public static int ioctl(SafeHandle fd, int request, void* argument)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.ioctl(file.Number, request, argument);
    }

    public static int ioctl(SafeHandle fd, int request, int argument)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.ioctl(file.Number, request, argument);
    }

    public static int setns(SafeHandle fd, int nstype)
    {
        using BorrowedDescriptor file = new(fd);
        return LibC.setns(file.Number, nstype);
    }
}
