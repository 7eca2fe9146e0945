using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Addresses;

/// <summary>
/// An address as a number, most significant half first; an IPv4 address fills the lowest 32 bits. Not UInt128: that is aligned to 16 bytes, and a
/// flow record would no longer fit into two cache lines.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct AddressBits(ulong High, ulong Low) : IComparable<AddressBits>
{
    /// <summary>Reads four or sixteen bytes in network order. Any other length is the caller's mistake.</summary>
    public static AddressBits Read(ReadOnlySpan<byte> bytes) => bytes.Length == 4
        ? new AddressBits(0, BinaryPrimitives.ReadUInt32BigEndian(bytes))
        : new AddressBits(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>The number of an address object.</summary>
    public static AddressBits From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return Read(bytes[..length]);
    }

    /// <summary>Whether it is a multicast address, or 255.255.255.255. The broadcast addresses of subnets are known only to the host.</summary>
    public bool IsMulticastOrBroadcast(FlowFamily family) => family == FlowFamily.IPv4
        ? (uint)Low >> 28 == 0xe || (uint)Low == uint.MaxValue
        : High >> 56 == 0xff;

    /// <summary>The number as a UInt128.</summary>
    public UInt128 ToUInt128() => new(High, Low);

    /// <summary>The address object.</summary>
    public IPAddress ToIPAddress(FlowFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..Write(family, bytes)]);
    }

    /// <summary>Writes the address in network order; returns its length, 4 or 16.</summary>
    public int Write(FlowFamily family, Span<byte> bytes)
    {
        if (family == FlowFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Low);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
        return 16;
    }

    /// <inheritdoc/>
    public int CompareTo(AddressBits other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
}
