using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Export.Files;

/// <summary>Writes to a log file's descriptor, and turns a failure into a <see cref="LogFileException"/>. It does not buffer: its writers do.</summary>
internal sealed unsafe class LogFileStream(SafeFileHandle file, string path) : Stream
{
    // After this many bytes the kernel starts to write to the disk: most of a large log is there when the last line is written.
    private const long StartWritingEvery = 8 << 20;

    private long _written;
    private long _started;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            long written;
            fixed (byte* bytes = buffer)
            {
                written = SafeLibC.write(file, bytes, buffer.Length);
            }

            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                _written += written;
                StartWriting();
            }
            else if (Marshal.GetLastPInvokeError() != EINTR)
            {
                throw LogFileErrors.FromErrno(path, "writing", Marshal.GetLastPInvokeError());
            }
        }
    }

    private void StartWriting()
    {
        if (_written - _started >= StartWritingEvery)
        {
            // Only advice: where the file system does not support it nothing is lost, as LogFile.Commit waits for the disk.
            _ = SafeLibC.sync_file_range(file, _started, _written - _started, (uint)SYNC_FILE_RANGE_WRITE);
            _started = _written;
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // Every write has gone to the kernel; LogFile.Commit flushes it to the disk.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
