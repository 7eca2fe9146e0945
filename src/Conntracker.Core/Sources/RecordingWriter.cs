using System.Buffers.Binary;
using System.Text;

namespace Conntracker.Core.Sources;

/// <summary>
/// Writes a recording. When the disk is full or the file's limit is reached the recording ends there, complete up to its last whole
/// frame; the capture goes on, and <see cref="Failure"/> says why.
/// </summary>
internal sealed class RecordingWriter : IDisposable
{
    /// <summary>Where a recording ends when nothing else was said: 4 GiB, about 18 million events.</summary>
    public const long DefaultMaximumLength = 4L << 30;

    private const int BufferLength = 1 << 20;

    private readonly FileStream _file;
    private readonly string _path;
    private readonly long _maximumLength;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
    private int _used;
    private long _written;

    private RecordingWriter(FileStream file, string path, long maximumLength)
    {
        _file = file;
        _path = path;
        _maximumLength = maximumLength;
    }

    /// <summary>Why the recording ended early; null while all is well.</summary>
    public string? Failure { get; private set; }

    /// <summary>Makes the file and writes its head.</summary>
    /// <param name="path">A new file: what exists is never overwritten, and a link never followed.</param>
    /// <param name="startTime">Ticks of UTC.</param>
    /// <param name="kernel">Which kernel makes the messages.</param>
    /// <param name="maximumLength">Where the recording ends, in bytes.</param>
    /// <exception cref="ConntrackException">The file cannot be made.</exception>
    public static RecordingWriter Create(string path, long startTime, string kernel, long maximumLength = DefaultMaximumLength)
    {
        RecordingWriter writer = new(Open(path), path, maximumLength);
        try
        {
            writer.WriteHead(startTime, kernel);
            return writer;
        }
        catch
        {
            writer.Discard();
            throw;
        }
    }

    /// <summary>Writes a frame.</summary>
    public void Write(FrameKind kind, long time, ReadOnlySpan<byte> data)
    {
        if (Failure is not null)
        {
            return;
        }

        int length = RecordingFormat.FrameHeadLength + data.Length;
        if (_written + _used + length + RecordingFormat.FrameHeadLength > _maximumLength && kind != FrameKind.End)
        {
            Append(FrameKind.End, time, []);
            Flush();
            Failure ??= $"The recording {_path} reached its limit of {_maximumLength} bytes and ends there; the capture goes on.";
            return;
        }

        Append(kind, time, data);
    }

    /// <summary>Ends the recording.</summary>
    public void Finish(long time)
    {
        Write(FrameKind.End, time, []);
        Flush();
    }

    /// <summary>Closes the file and removes it: nothing was recorded.</summary>
    public void Discard()
    {
        Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The capture's own error is what the user needs to see.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            string remedy = File.Exists(path) ? "A recording never overwrites: name a new file, or remove that one" : "Name a file that can be made";
            throw new ConntrackException(ConntrackErrorReason.RecordingFailed, $"The recording {path} cannot be made: {error.Message} {remedy}.", error);
        }
    }

    private void WriteHead(long startTime, string kernel)
    {
        byte[] name = Encoding.UTF8.GetBytes(kernel);
        Span<byte> head = _buffer;
        RecordingFormat.Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], RecordingFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(head[10..], (ushort)(sizeof(long) + name.Length));
        BinaryPrimitives.WriteInt64LittleEndian(head[12..], startTime);
        name.CopyTo(head[20..]);
        int length = 20 + name.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(head[length..], RecordingFormat.Checksum(0, head[..length]));
        _used = length + sizeof(uint);
        Flush();
        if (Failure is not null)
        {
            throw new ConntrackException(ConntrackErrorReason.RecordingFailed, Failure);
        }
    }

    private void Append(FrameKind kind, long time, ReadOnlySpan<byte> data)
    {
        if (_used + RecordingFormat.FrameHeadLength + data.Length > _buffer.Length)
        {
            Flush();
        }

        Span<byte> frame = _buffer.AsSpan(_used);
        BinaryPrimitives.WriteInt32LittleEndian(frame, data.Length);
        frame[4] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(frame[5..], time);
        uint checksum = RecordingFormat.Checksum(RecordingFormat.Checksum(0, frame[..13]), data);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[13..], checksum);
        data.CopyTo(frame[RecordingFormat.FrameHeadLength..]);
        _used += RecordingFormat.FrameHeadLength + data.Length;
    }

    private void Flush()
    {
        if (Failure is null)
        {
            try
            {
                _file.Write(_buffer.AsSpan(0, _used));
                _written += _used;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Failure = $"The recording {_path} ends early, after {_written} bytes: {error.Message} The capture goes on.";
            }
        }

        _used = 0;
    }
}
