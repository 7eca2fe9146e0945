using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Conntracker.Core.Native;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Walks netlink attributes (struct nlattr), forward only. Flag bits are masked off the type. Never throws: a wrong length
/// ends the walk and sets <see cref="IsMalformed"/>; a value of the wrong size reads as 0 and sets it as well.
/// </summary>
internal ref struct NetlinkAttributeReader
{
    private const int HeaderLength = 4;

    private ReadOnlySpan<byte> _rest;

    public NetlinkAttributeReader(ReadOnlySpan<byte> attributes) => _rest = attributes;

    /// <summary>The current attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    public int Type { get; private set; }

    /// <summary>The current attribute's bytes, without padding.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>True once a length or a value's size was wrong.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Moves to the next attribute; false at the end, or if the next one is malformed.</summary>
    public bool Read()
    {
        if (_rest.Length < HeaderLength)
        {
            // Up to three bytes of padding may follow the last attribute.
            return false;
        }

        uint header = MemoryMarshal.Read<uint>(_rest);
        int length = (ushort)header;
        if (length < HeaderLength || length > _rest.Length)
        {
            IsMalformed = true;
            _rest = default;
            return false;
        }

        Type = (int)(header >> 16) & NetlinkConstants.NLA_TYPE_MASK;
        Value = _rest[HeaderLength..length];
        _rest = _rest[Math.Min(NetlinkAlignment.Align(length), _rest.Length)..];
        return true;
    }

    /// <summary>The value as one byte.</summary>
    public byte ReadByte() => HasSize(1) ? Value[0] : (byte)0;

    /// <summary>The value as 16 bits, big-endian.</summary>
    public ushort ReadUInt16BigEndian() => HasSize(2) ? BinaryPrimitives.ReadUInt16BigEndian(Value) : (ushort)0;

    /// <summary>The value as 32 bits, big-endian.</summary>
    public uint ReadUInt32BigEndian() => HasSize(4) ? BinaryPrimitives.ReadUInt32BigEndian(Value) : 0;

    /// <summary>The value as 32 bits in the machine's order, as rtnetlink has its numbers.</summary>
    public uint ReadUInt32() => HasSize(4) ? MemoryMarshal.Read<uint>(Value) : 0;

    /// <summary>The value as text up to its first zero byte.</summary>
    public string ReadText() => Encoding.UTF8.GetString(Value.IndexOf((byte)0) is >= 0 and int end ? Value[..end] : Value);

    /// <summary>The value as 64 bits, big-endian.</summary>
    public ulong ReadUInt64BigEndian() => HasSize(8) ? BinaryPrimitives.ReadUInt64BigEndian(Value) : 0;

    /// <summary>Marks the reader as malformed: a reader of nested attributes found the current one so.</summary>
    public void MarkMalformed() => IsMalformed = true;

    /// <summary>Whether the value has this size; otherwise the reader is marked as malformed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasSize(int size)
    {
        if (Value.Length == size)
        {
            return true;
        }

        IsMalformed = true;
        return false;
    }
}
