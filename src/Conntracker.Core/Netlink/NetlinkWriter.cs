using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Conntracker.Core.Native;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Writes netlink messages into a span. The span must be large enough: the size of a request is known beforehand, so a request that does
/// not fit is a mistake in the program (an <see cref="ArgumentException"/> of the span).
/// </summary>
internal ref struct NetlinkWriter
{
    private readonly Span<byte> _buffer;
    private int _messageStart;

    public NetlinkWriter(Span<byte> buffer) => _buffer = buffer;

    /// <summary>The number of bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes written so far.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[..Length];

    /// <summary>Forgets what was written.</summary>
    public void Clear() => Length = 0;

    /// <summary>Begins a message.</summary>
    public void BeginMessage(int type, int flags, uint sequence)
    {
        _messageStart = Length;
        nlmsghdr header = new() { nlmsg_type = (ushort)type, nlmsg_flags = (ushort)flags, nlmsg_seq = sequence };
        WriteStruct(header);
    }

    /// <summary>Ends the message and fills in its length.</summary>
    public readonly void EndMessage() =>
        BinaryPrimitives.WriteInt32LittleEndian(_buffer[_messageStart..], Length - _messageStart);

    /// <summary>Writes the fixed header that follows nlmsghdr.</summary>
    public void WriteStruct<T>(T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(_buffer[Length..], value);
        Advance(Unsafe.SizeOf<T>());
    }

    /// <summary>Writes an attribute of bytes.</summary>
    public void WriteBytes(int type, scoped ReadOnlySpan<byte> value)
    {
        WriteHeader(type, value.Length);
        value.CopyTo(_buffer[Length..]);
        Advance(value.Length);
    }

    /// <summary>Writes an attribute of one byte.</summary>
    public void WriteByte(int type, byte value) => WriteBytes(type, [value]);

    /// <summary>Writes an attribute of 32 bits in the machine's order, as rtnetlink has them.</summary>
    public void WriteUInt32(int type, uint value)
    {
        WriteHeader(type, sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer[Length..], value);
        Advance(sizeof(uint));
    }

    /// <summary>Writes an attribute of text: UTF-8 with a zero byte at the end.</summary>
    public void WriteString(int type, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value) + 1;
        WriteHeader(type, length);
        Encoding.UTF8.GetBytes(value, _buffer[Length..]);
        _buffer[Length + length - 1] = 0;
        Advance(length);
    }

    /// <summary>Writes an attribute of 16 bits, big-endian.</summary>
    public void WriteUInt16BigEndian(int type, ushort value)
    {
        WriteHeader(type, sizeof(ushort));
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[Length..], value);
        Advance(sizeof(ushort));
    }

    /// <summary>Writes an attribute of 32 bits, big-endian.</summary>
    public void WriteUInt32BigEndian(int type, uint value)
    {
        WriteHeader(type, sizeof(uint));
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[Length..], value);
        Advance(sizeof(uint));
    }

    /// <summary>Writes an attribute of 64 bits, big-endian.</summary>
    public void WriteUInt64BigEndian(int type, ulong value)
    {
        WriteHeader(type, sizeof(ulong));
        BinaryPrimitives.WriteUInt64BigEndian(_buffer[Length..], value);
        Advance(sizeof(ulong));
    }

    /// <summary>Begins a nested attribute; returns the mark that <see cref="EndNested"/> needs.</summary>
    public int BeginNested(int type)
    {
        int mark = Length;
        WriteHeader(type | NetlinkConstants.NLA_F_NESTED, 0);
        return mark;
    }

    /// <summary>Ends a nested attribute and fills in its length.</summary>
    public readonly void EndNested(int mark) =>
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[mark..], (ushort)(Length - mark));

    private void WriteHeader(int type, int valueLength)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[Length..], (ushort)(4 + valueLength));
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[(Length + 2)..], (ushort)type);
        Length += 4;
    }

    private void Advance(int length)
    {
        int aligned = NetlinkAlignment.Align(length);
        _buffer.Slice(Length + length, aligned - length).Clear();
        Length += aligned;
    }
}
