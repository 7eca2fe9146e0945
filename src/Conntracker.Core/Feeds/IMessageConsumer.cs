using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>Receives the messages of all feeds, in the order in which they came. Called only on the capture's thread; readers may be on others.</summary>
internal interface IMessageConsumer
{
    /// <summary>Handles one message.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="time">When it was received: ticks of UTC.</param>
    /// <param name="data">Its data.</param>
    void Handle(MessageKind kind, long time, ReadOnlySpan<byte> data);

    /// <summary>Handles the datagrams of a batch, which were received together. A truncated one counts as <see cref="MessageKind.Truncated"/>.</summary>
    /// <param name="kind">Their kind.</param>
    /// <param name="time">When they were received: ticks of UTC.</param>
    /// <param name="batch">The datagrams.</param>
    /// <param name="count">The number of datagrams.</param>
    void Handle(MessageKind kind, long time, DatagramBatch batch, int count);

    /// <summary>Handles packets. Each has its own time.</summary>
    void Handle(PacketBatch batch);
}
