namespace Conntracker.Tests.Unit;

/// <summary>The file of a recording, its header included, on a disk that takes nothing until it goes on.</summary>
internal sealed class StallingStream : Stream
{
    private readonly FileStream _file;
    private readonly ManualResetEventSlim _goesOn = new();

    public StallingStream(string path)
    {
        byte[] header = File.ReadAllBytes(path);
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);

        // Without the end of the empty recording.
        _file.Write(header.AsSpan(0, header.Length - Conntracker.Core.Recording.RecordingFormat.MessageHeaderLength));
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _file.Length;

    public override long Position { get => _file.Position; set => throw new NotSupportedException(); }

    public void GoOn() => _goesOn.Set();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _goesOn.Wait();
        _file.Write(buffer);
    }

    public override void Flush() => _file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _goesOn.Set();
            _file.Dispose();
            _goesOn.Dispose();
        }

        base.Dispose(disposing);
    }
}
