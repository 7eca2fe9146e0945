using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>The ring buffer that the eBPF programs write records to. Read by one thread; reading a record allocates nothing.</summary>
internal sealed unsafe class AttributionRing : IDisposable
{
    private const int Capacity = 1024;

    private readonly socket_record[] _records = new socket_record[Capacity];
    private GCHandle _self;
    private nint _ring;
    private int _count;

    /// <summary>Maps the ring buffer.</summary>
    /// <param name="map">The map's descriptor, see <see cref="AttributionPrograms.RecordsMap"/>.</param>
    /// <exception cref="ConntrackException">It cannot be mapped.</exception>
    public AttributionRing(int map)
    {
        _self = GCHandle.Alloc(this);
        _ring = Libbpf.ring_buffer__new(map, &OnRecord, (void*)GCHandle.ToIntPtr(_self), null);
        if (_ring == 0)
        {
            int error = Errno.Last;
            _self.Free();
            throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"Could not map the ring buffer of the eBPF programs:  {Errno.Describe(error)}.");
        }
    }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => Libbpf.ring_buffer__epoll_fd(_ring);

    /// <summary>Reads the available records, at most a thousand; they are valid until the next call.</summary>
    public ReadOnlySpan<socket_record> Take()
    {
        _count = 0;
        _ = Libbpf.ring_buffer__consume(_ring);
        return _records.AsSpan(0, _count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ring != 0)
        {
            Libbpf.ring_buffer__free(_ring);
            _ring = 0;
            _self.Free();
        }
    }

    // A negative result ends the call; the current record still counts as read.
    [UnmanagedCallersOnly]
    private static int OnRecord(void* context, void* data, nuint size)
    {
        AttributionRing ring = (AttributionRing)GCHandle.FromIntPtr((nint)context).Target!;
        if (size >= (nuint)sizeof(socket_record))
        {
            ring._records[ring._count++] = Unsafe.ReadUnaligned<socket_record>(data);
        }

        return ring._count < Capacity ? 0 : -EAGAIN;
    }
}
