using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Netlink;

/// <summary>Receives many datagrams with one system call, into unmanaged buffers that are reused.</summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    // Buffers at the same offset within a page would share a few sets of the first-level cache.
    private const int CacheStagger = 64;

    private readonly int _capacity;
    private readonly int _size;
    private readonly nuint _stride;
    private byte* _buffers;
    private mmsghdr* _headers;
    private iovec* _vectors;

    /// <summary>Allocates the buffers.</summary>
    /// <param name="capacity">Datagrams per call.</param>
    /// <param name="size">The longest datagram, in bytes.</param>
    public DatagramBatch(int capacity, int size)
    {
        _capacity = capacity;
        _size = size;
        _stride = (nuint)(size + CacheStagger);
        _buffers = (byte*)NativeMemory.Alloc((nuint)capacity, _stride);
        _headers = (mmsghdr*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(mmsghdr));
        _vectors = (iovec*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(iovec));
        for (int i = 0; i < capacity; i++)
        {
            _vectors[i] = new iovec { iov_base = _buffers + ((nuint)i * _stride), iov_len = size };
            _headers[i].msg_hdr = new msghdr { msg_iov = &_vectors[i], msg_iovlen = 1 };
        }
    }

    /// <summary>Frees the memory of a batch that was not disposed.</summary>
    ~DatagramBatch() => Release();

    /// <summary>The greatest number of datagrams that one call receives.</summary>
    public int Capacity => _capacity;

    /// <summary>A datagram of the last call.</summary>
    public ReadOnlySpan<byte> this[int index] => new(_buffers + ((nuint)index * _stride), (int)Math.Min(_headers[index].msg_len, (uint)_size));

    /// <summary>Whether a datagram of the last call was longer than its buffer.</summary>
    public bool IsTruncated(int index) => (_headers[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>The number of datagrams; the negative error number if there were none.</returns>
    public int Receive(SafeFileDescriptor socket)
    {
        int received = SafeLibC.recvmmsg(socket, _headers, (uint)_capacity, MSG_DONTWAIT, null);
        return received < 0 ? -Errno.Last : received;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.Free(_buffers);
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        _buffers = null;
        _headers = null;
        _vectors = null;
    }
}
