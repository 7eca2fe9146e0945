using System.Buffers.Binary;
using System.Text;

namespace Conntracker.Core.Recording;

/// <summary>Reads a recording, message by message. Everything is checked before it is used.</summary>
internal sealed class RecordingReader : IDisposable
{
    private static readonly long s_lastTime = DateTime.MaxValue.Ticks;

    private readonly BufferedStream _file;
    private readonly string _path;
    private byte[] _data = new byte[64 * 1024];

    private RecordingReader(BufferedStream file, string path)
    {
        _file = file;
        _path = path;
    }

    /// <summary>When the recording began: ticks of UTC.</summary>
    public long StartTime { get; private set; }

    /// <summary>The kernel that sent the messages: name, release and machine.</summary>
    public string Kernel { get; private set; } = "";

    /// <summary>The current message's kind.</summary>
    public MessageKind Kind { get; private set; }

    /// <summary>When the current message was received: ticks of UTC.</summary>
    public long Time { get; private set; }

    /// <summary>The current message's data.</summary>
    public ReadOnlySpan<byte> Data => _data.AsSpan(0, DataLength);

    /// <summary>The number of messages read.</summary>
    public long MessageCount { get; private set; }

    /// <summary>True when the file ended without its end message: the process that wrote it was killed. What came before is valid.</summary>
    public bool IsCutOff { get; private set; }

    private int DataLength { get; set; }

    /// <summary>Opens a recording and checks its header.</summary>
    /// <exception cref="ConntrackException">There is no such file, or it is not a recording that this version reads.</exception>
    public static RecordingReader Open(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConntrackException(ConntrackErrorReason.RecordingFailed, $"The recording {path} cannot be opened: {error.Message}", error);
        }

        RecordingReader reader = new(new BufferedStream(file, 1 << 18), path);
        try
        {
            reader.ReadHeader();
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Moves to the next message; false at the end.</summary>
    /// <exception cref="ConntrackException">The message is damaged.</exception>
    public bool Read()
    {
        Span<byte> header = stackalloc byte[RecordingFormat.MessageHeaderLength];
        int got = _file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (got < header.Length)
        {
            IsCutOff = true;
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > RecordingFormat.MaximumMessageLength)
        {
            throw Damaged($"frame {MessageCount + 1} claims a length of {length} bytes");
        }

        if (length > _data.Length)
        {
            _data = new byte[length];
        }

        if (_file.ReadAtLeast(_data.AsSpan(0, length), length, throwOnEndOfStream: false) < length)
        {
            IsCutOff = true;
            return false;
        }

        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(header[13..]);
        if (RecordingFormat.Checksum(RecordingFormat.Checksum(0, header[..13]), _data.AsSpan(0, length)) != expected)
        {
            throw Damaged($"the checksum of frame {MessageCount + 1} is wrong");
        }

        DataLength = length;
        Kind = (MessageKind)header[4];
        Time = BinaryPrimitives.ReadInt64LittleEndian(header[5..]);
        if (Time < 0 || Time > s_lastTime)
        {
            throw Damaged($"frame {MessageCount + 1} has an invalid time: {Time} ticks");
        }

        MessageCount++;
        return Kind != MessageKind.End;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ReadHeader()
    {
        byte[] header = new byte[RecordingFormat.FixedHeaderLength + ushort.MaxValue + sizeof(uint)];
        int got = _file.ReadAtLeast(header.AsSpan(0, RecordingFormat.FixedHeaderLength), RecordingFormat.FixedHeaderLength, throwOnEndOfStream: false);
        if (got < RecordingFormat.FixedHeaderLength || !header.AsSpan().StartsWith(RecordingFormat.Magic))
        {
            throw Invalid("it does not begin with the header of a Conntracker recording");
        }

        int version = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(8));
        if (version != RecordingFormat.Version)
        {
            throw Invalid($"it has version {version}, and this program supports version {RecordingFormat.Version}");
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(10));
        int whole = RecordingFormat.FixedHeaderLength + length;
        Span<byte> rest = header.AsSpan(RecordingFormat.FixedHeaderLength, length + sizeof(uint));
        if (length < sizeof(long) || _file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length)
        {
            throw Damaged("its header is truncated");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(whole)) != RecordingFormat.Checksum(0, header.AsSpan(0, whole)))
        {
            throw Damaged("the checksum of its header is wrong");
        }

        StartTime = BinaryPrimitives.ReadInt64LittleEndian(rest);
        if (StartTime < 0 || StartTime > s_lastTime)
        {
            throw Damaged($"its start time is invalid: {StartTime} ticks");
        }

        Kernel = Encoding.UTF8.GetString(rest[sizeof(long)..length]);
    }

    private ConntrackException Invalid(string why) =>
        new(ConntrackErrorReason.RecordingInvalid, $"{_path} cannot be replayed: {why}.");

    private ConntrackException Damaged(string why) =>
        new(ConntrackErrorReason.RecordingInvalid, $"The recording {_path} is damaged: {why}.");
}
