using System.Buffers.Binary;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>Where a live pump puts frames: the collector, and the recording if there is one, in the same order.</summary>
internal sealed class FrameSink
{
    private readonly FlowCollector _collector;
    private readonly RecordingWriter? _recording;

    /// <summary>Makes a sink.</summary>
    public FrameSink(FlowCollector collector, RecordingWriter? recording)
    {
        _collector = collector;
        _recording = recording;
    }

    /// <summary>Puts a frame.</summary>
    public void Put(FrameKind kind, long time, ReadOnlySpan<byte> data = default)
    {
        lock (_collector.Gate)
        {
            _collector.Take(kind, time, data);
        }

        _recording?.Write(kind, time, data);
    }

    /// <summary>Puts a frame that holds a number.</summary>
    public void PutNumber(FrameKind kind, long time, long number)
    {
        Span<byte> data = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, number);
        Put(kind, time, data);
    }

    /// <summary>Puts the datagrams of a batch, under one hold of the gate.</summary>
    public void Put(FrameKind kind, long time, DatagramBatch batch, int count)
    {
        lock (_collector.Gate)
        {
            for (int i = 0; i < count; i++)
            {
                FrameKind each = batch.IsTruncated(i) ? FrameKind.Truncated : kind;
                _collector.Take(each, time, each == kind ? batch[i] : default);
            }
        }

        for (int i = 0; i < count && _recording is not null; i++)
        {
            FrameKind each = batch.IsTruncated(i) ? FrameKind.Truncated : kind;
            _recording.Write(each, time, each == kind ? batch[i] : default);
        }
    }

    /// <summary>Puts the packets of a batch, under one hold of the gate.</summary>
    public void Put(PacketBatch batch)
    {
        lock (_collector.Gate)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                _collector.Take(FrameKind.Packet, batch.TimeOf(i), batch[i]);
            }
        }

        for (int i = 0; i < batch.Count && _recording is not null; i++)
        {
            _recording.Write(FrameKind.Packet, batch.TimeOf(i), batch[i]);
        }
    }
}
