using System.Buffers.Binary;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>Receives the messages of feeds and passes them to the consumer, and to the recording if there is one, in the same order.</summary>
internal sealed class MessageSink
{
    private readonly IMessageConsumer _consumer;
    private readonly RecordingWriter? _recording;
    private readonly CaptureClock? _clock;
    private long _recordingLost;

    /// <param name="consumer">Receives the messages.</param>
    /// <param name="recording">Receives them as well; null for none.</param>
    /// <param name="clock">Converts the times of messages, which come from this clock, to the time of day. Null to leave times unchanged.</param>
    public MessageSink(IMessageConsumer consumer, RecordingWriter? recording, CaptureClock? clock = null)
    {
        _clock = clock;
        _consumer = consumer;
        _recording = recording;
    }

    /// <summary>Passes on a message.</summary>
    public void Put(MessageKind kind, long time, ReadOnlySpan<byte> data = default) => PutAsIs(kind, _clock?.ToTimeOfDay(time) ?? time, data);

    /// <summary>Passes on a message with the time of a packet, unchanged.</summary>
    public void PutAsIs(MessageKind kind, long time, ReadOnlySpan<byte> data = default)
    {
        _consumer.Handle(kind, time, data);
        _recording?.Write(kind, time, data);
        CountLost(time);
    }

    /// <summary>Passes on a message whose data is a number.</summary>
    public void PutNumber(MessageKind kind, long time, long number)
    {
        Span<byte> data = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, number);
        Put(kind, time, data);
    }

    /// <summary>Passes on the datagrams of a batch.</summary>
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

    /// <summary>Passes on the packets of a batch.</summary>
    public void Put(PacketBatch batch)
    {
        _consumer.Handle(batch);
        for (int i = 0; i < batch.Count && _recording is not null; i++)
        {
            _recording.Write(MessageKind.Packet, batch.TimeOf(i), batch[i]);
        }

        CountLost(batch.Count > 0 ? batch.TimeOf(batch.Count - 1) : 0);
    }

    // The writer states in the recording what it lacks; the capture must count it as well.
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
