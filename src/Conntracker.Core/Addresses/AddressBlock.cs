namespace Conntracker.Core.Addresses;

/// <summary>The addresses of one prefix. A single address has the prefix of its full length.</summary>
internal readonly record struct AddressBlock
{
    /// <summary>The block of a prefix.</summary>
    /// <param name="family">The family.</param>
    /// <param name="address">Any address of the block.</param>
    /// <param name="prefix">The prefix length: 0 to <see cref="BitsOf"/>.</param>
    public AddressBlock(FlowFamily family, AddressBits address, int prefix)
    {
        int hostBits = BitsOf(family) - prefix;
        UInt128 host = hostBits >= 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        UInt128 value = address.ToUInt128();
        Family = family;
        First = ToBits(value & ~host & Mask(family));
        Last = ToBits((value | host) & Mask(family));
    }

    /// <summary>The family of its addresses.</summary>
    public FlowFamily Family { get; }

    /// <summary>The lowest address.</summary>
    public AddressBits First { get; }

    /// <summary>The highest address.</summary>
    public AddressBits Last { get; }

    /// <summary>The prefix length.</summary>
    public int Prefix => BitsOf(Family) - BitsBelow;

    /// <summary>How many addresses the block has. Exact up to 2^53, and a power of two beyond.</summary>
    public double Size => Math.ScaleB(1, BitsBelow);

    private int BitsBelow => 128 - (int)UInt128.LeadingZeroCount(First.ToUInt128() ^ Last.ToUInt128());

    /// <summary>A block of one address.</summary>
    public static AddressBlock Of(FlowFamily family, AddressBits address) => new(family, address, BitsOf(family));

    /// <summary>How many bits an address has: 32 or 128.</summary>
    public static int BitsOf(FlowFamily family) => family == FlowFamily.IPv4 ? 32 : 128;

    /// <summary>Whether the address is of the block.</summary>
    public bool Contains(FlowFamily family, AddressBits address) =>
        family == Family && First.CompareTo(address) <= 0 && address.CompareTo(Last) <= 0;

    /// <summary>Whether every address of another block is of this one.</summary>
    public bool Contains(AddressBlock other) => Contains(other.Family, other.First) && Contains(other.Family, other.Last);

    private static UInt128 Mask(FlowFamily family) => family == FlowFamily.IPv4 ? uint.MaxValue : UInt128.MaxValue;

    private static AddressBits ToBits(UInt128 value) => new((ulong)(value >> 64), (ulong)value);
}
