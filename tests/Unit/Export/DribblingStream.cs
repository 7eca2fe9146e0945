namespace Conntracker.Tests.Unit.Export;

/// <summary>Gives its bytes a few at a time, as a pipe may: what a reader sees may end anywhere.</summary>
internal sealed class DribblingStream(byte[] bytes, int most = 3) : MemoryStream(bytes)
{
    public override bool CanSeek => false;

    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, most));

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, most)]);
}
