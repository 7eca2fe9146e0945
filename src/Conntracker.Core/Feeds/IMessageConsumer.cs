





using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>Gets what feeds receive, in the order in which it was received. Called on the capture's thread only; readers may be on others.</summary>
internal interface IMessageConsumer
{
    /// <summary>Handles one message.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="time">When it was received: ticks of UTC.</param>
    /// <param name="data">Its data.</param>
    void Handle(MessageKind kind, long time, ReadOnlySpan<byte> data);

    /// <summary>Handles the datagrams of a batch, which were received together. One that was cut off counts as <see cref="MessageKind.Truncated"/>.</summary>
    /// <param name="kind">What they are.</param>
    /// <param name="time">When they were received: ticks of UTC.</param>
    /// <param name="batch">The datagrams.</param>
    /// <param name="count">How many.</param>
    void Handle(MessageKind kind, long time, DatagramBatch batch, int count);

    /// <summary>Handles packets. Each has its own time.</summary>
    void Handle(PacketBatch batch);
}
