using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Unit;

/// <summary>What a feed has put, as words: the kind of a frame, and the first byte of its data.</summary>
internal sealed class MessageLog : IMessageConsumer
{
    private readonly List<string> _frames = [];

    /// <summary>The frames so far, without those of a kind.</summary>
    public string But(params MessageKind[] kinds) =>
        string.Join(' ', _frames.Where(each => !kinds.Any(kind => each.StartsWith($"{kind}:", StringComparison.Ordinal))));

    public void Handle(MessageKind kind, long time, ReadOnlySpan<byte> data) => _frames.Add($"{kind}:{(data.IsEmpty ? "" : data[0])}");

    public void Handle(MessageKind kind, long time, DatagramBatch batch, int count) => throw new NotSupportedException();

    public void Handle(PacketBatch batch) => throw new NotSupportedException();
}
