using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker;

/// <summary>
/// A single address or a subnet in CIDR notation: <c>192.0.2.7</c>, <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>. Bits below the prefix are ignored.
/// </summary>
public sealed class AddressRange
{
    private readonly int _prefix;

    private AddressRange(FlowFamily family, AddressBits address, int prefix)
    {
        Block = new AddressBlock(family, address, prefix);
        _prefix = prefix;
    }

    /// <summary>A single address.</summary>
    public AddressRange(IPAddress address)
        : this(FamilyOf(address), AddressBits.From(address), AddressBlock.BitsOf(FamilyOf(address)))
    {
    }

    /// <summary>The range of a block.</summary>
    internal AddressRange(AddressBlock block)
        : this(block.Family, block.First, block.Prefix)
    {
    }

    /// <summary>The family of its addresses.</summary>
    internal FlowFamily Family => Block.Family;

    /// <summary>The range as the flow table's indexes use it.</summary>
    internal AddressBlock Block { get; }

    /// <summary>Whether the range contains every address of the family.</summary>
    internal bool IsEverything => _prefix == 0;

    /// <summary>Reads an address or a subnet.</summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    public static AddressRange Parse(string text) => TryParse(text, out AddressRange? range)
        ? range
        : throw new FormatException($"'{text}' is not an address or a subnet. Use 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.");

    /// <summary>Reads an address or a subnet; false when the text is neither.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out AddressRange? range)
    {
        range = null;
        string[] parts = text?.Split('/') ?? [];
        if (parts.Length is not (1 or 2) || !IPAddress.TryParse(parts[0], out IPAddress? address) || !IsWhole(parts[0], address))
        {
            return false;
        }

        FlowFamily family = FamilyOf(address);
        int prefix = AddressBlock.BitsOf(family);
        if (parts.Length == 2
            && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > AddressBlock.BitsOf(family)))
        {
            return false;
        }

        range = new AddressRange(family, AddressBits.From(address), prefix);
        return true;
    }

    /// <summary>Whether the address lies in the range.</summary>
    public bool Contains(IPAddress address) => Contains(FamilyOf(address), AddressBits.From(address));

    /// <summary>The range in CIDR notation; a single address without a prefix.</summary>
    public override string ToString()
    {
        string address = Block.First.ToIPAddress(Family).ToString();
        return _prefix == AddressBlock.BitsOf(Family) ? address : $"{address}/{_prefix}";
    }

    internal bool Contains(FlowFamily family, AddressBits address) => Block.Contains(family, address);

    // "10.1" is 10.0.0.1 to the C library, "010.0.0.1" is 8.0.0.1, and the port of "[::1]:80" would be ignored. In a filter such mistakes
    // go unnoticed.
    private static bool IsWhole(string text, IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address.ToString() == text : !text.Contains('[', StringComparison.Ordinal);

    private static FlowFamily FamilyOf(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
}
