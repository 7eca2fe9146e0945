using System.Runtime.InteropServices;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>
/// Messages on their way from another thread to the capture's. The queue is bounded in bytes, and what does not fit is counted. Two buffers are
/// swapped, so nothing is allocated once they have grown.
/// </summary>
internal sealed class MessageQueue
{
    private const int MaximumLength = 32 << 20;

    private readonly Lock _lock = new();
    private List<byte> _filling = [];
    private List<byte> _emptying = [];
    private long _lost;

    /// <summary>Adds a message; false if there is no room.</summary>
    public bool TryAdd(MessageKind kind, ReadOnlySpan<byte> data)
    {
        Span<byte> header = [(byte)kind, (byte)data.Length, (byte)(data.Length >> 8), (byte)(data.Length >> 16)];
        lock (_lock)
        {
            if (_filling.Count + data.Length > MaximumLength)
            {
                _lost++;
                return false;
            }

            _filling.AddRange(header);
            _filling.AddRange(data);
            return true;
        }
    }

    /// <summary>Passes all messages to a sink, in the order in which they were added.</summary>
    /// <param name="sink">Receives the messages.</param>
    /// <param name="time">Their time: ticks of UTC.</param>
    /// <returns>How many messages did not fit since the last call.</returns>
    public long Drain(MessageSink sink, long time)
    {
        long lost;
        lock (_lock)
        {
            (_filling, _emptying) = (_emptying, _filling);
            (lost, _lost) = (_lost, 0);
        }

        ReadOnlySpan<byte> rest = CollectionsMarshal.AsSpan(_emptying);
        while (!rest.IsEmpty)
        {
            int length = rest[1] | (rest[2] << 8) | (rest[3] << 16);
            sink.Put((MessageKind)rest[0], time, rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }

        _emptying.Clear();
        return lost;
    }
}
