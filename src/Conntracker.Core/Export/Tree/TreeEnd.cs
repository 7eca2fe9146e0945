using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Tree;

/// <summary>One end of a tree's entry: an address, a subnet or the internet, and a port.</summary>
/// <param name="Address">The address, or the subnet's first; 0 for the internet.</param>
/// <param name="Prefix">The subnet's prefix length; <see cref="TreeEnd.Internet"/>, or all of the family's bits for a single address.</param>
/// <param name="Port">The port, or the ICMP type (source) or code (destination); <see cref="TreeEnd.NoPort"/> for none.</param>
internal readonly record struct TreeEnd(AddressBits Address, byte Prefix, int Port)
{
    /// <summary>The <see cref="Prefix"/> of an end anywhere on the internet.</summary>
    public const byte Internet = byte.MaxValue;

    /// <summary>The <see cref="Port"/> of an end without a port.</summary>
    public const int NoPort = -1;

    /// <summary>The prefix of a single address.</summary>
    public static byte Whole(FlowFamily family) => family == FlowFamily.IPv4 ? (byte)32 : (byte)128;

    /// <summary>
    /// The end with its address widened to a subnet; the internet and wider subnets stay as they are. The unspecified address becomes the subnet of
    /// every address.
    /// </summary>
    /// <param name="family">The family.</param>
    /// <param name="prefix">The subnet's prefix length.</param>
    public TreeEnd Widen(FlowFamily family, byte prefix)
    {
        if (Prefix == Internet || Prefix <= prefix)
        {
            return this;
        }

        AddressBits network = new AddressBlock(family, Address, prefix).First;
        return this with { Address = network, Prefix = network == default ? (byte)0 : prefix };
    }
}
