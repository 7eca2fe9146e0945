using System.Buffers.Binary;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>Where feeds put what they receive: it goes to the consumer, and to the recording if there is one, in the same order.</summary>
internal sealed class MessageSink
{
    private readonly IMessageConsumer _consumer;
    private readonly RecordingWriter? _recording;
    private readonly CaptureClock? _clock;
    private long _recordingLost;

    /// <param name="consumer">Gets the frames.</param>
    /// <param name="recording">Gets them as well; null for none.</param>
    /// <param name="clock">The clock that the times of frames come from: they get the time of day instead. Null for times that stay as they are.</param>
    public MessageSink(IMessageConsumer consumer, RecordingWriter? recording, CaptureClock? clock = null)
    {
        _clock = clock;
        _consumer = consumer;
        _recording = recording;
    }

    /// <summary>Puts a frame.</summary>
    public void Put(MessageKind kind, long time, ReadOnlySpan<byte> data = default) => PutAsIs(kind, _clock?.ToTimeOfDay(time) ?? time, data);

    /// <summary>Puts a frame whose time is that of packets.</summary>
    public void PutAsIs(MessageKind kind, long time, ReadOnlySpan<byte> data = default)
    {
        _consumer.Handle(kind, time, data);
        _recording?.Write(kind, time, data);
        CountLost(time);
    }

    /// <summary>Puts a frame that holds a number.</summary>
    public void PutNumber(MessageKind kind, long time, long number)
    {
        Span<byte> data = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, number);
        Put(kind, time, data);
    }

    /// <summary>Puts the datagrams of a batch.</summary>
    public void Put(MessageKind kind, long time, DatagramBatch batch, int count)
    {
        time = _clock?.ToTimeOfDay(time) ?? time;
        _consumer.Handle(kind, time, batch, count);
        for (int i = 0; i < count && _recording is not null; i++)
        {
            MessageKind each = batch.IsTruncated(i) ? MessageKind.Truncated : kind;
            _recording.Write(each, time, each == kind ? batch[i] : default);
        }

        CountLost(time);
    }

    /// <summary>Puts the packets of a batch.</summary>
    public void Put(PacketBatch batch)
    {
        _consumer.Handle(batch);
        for (int i = 0; i < batch.Count && _recording is not null; i++)
        {
            _recording.Write(MessageKind.Packet, batch.TimeOf(i), batch[i]);
        }

        CountLost(batch.Count > 0 ? batch.TimeOf(batch.Count - 1) : 0);
    }

    // What the recording lacks, its writer says there; the capture has to know as well.
    private void CountLost(long time)
    {
        if (_recording is null || _recording.Lost == _recordingLost)
        {
            return;
        }

        Span<byte> data = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, _recording.Lost - _recordingLost);
        _recordingLost = _recording.Lost;
        _consumer.Handle(MessageKind.RecordingLost, time, data);
    }
}
