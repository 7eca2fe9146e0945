using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Lines of one byte each, which a test has come.</summary>
internal sealed class FakeLines : IIptablesLines
{
    private readonly DatagramRing _ring = new(4096);

    public bool IsDisposed { get; private set; }

    public MessageKind Kind => MessageKind.Nflog;

    public TimeSpan? Interval => null;

    public Exception? Error => null;

    public long End => _ring.End;

    public void Come(byte line) => Assert.True(_ring.TryWrite([line]));

    public void Receive()
    {
    }

    public bool HasBefore(long end) => _ring.HasBefore(end);

    public bool TryRead(out ReadOnlySpan<byte> line) => _ring.TryRead(out line);

    public void Release() => _ring.Release();

    public long TakeLost() => 0;

    public void Dispose()
    {
        IsDisposed = true;
        _ring.Dispose();
    }
}
