using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Tests.Unit;

/// <summary>Addresses of a host, as tests write them.</summary>
internal static class LocalAddressesExtensions
{
    public static AddressBits Bits(string text) => AddressBits.From(IPAddress.Parse(text));

    public static FlowFamily FamilyOf(string text) => text.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4;

    public static AddressBlock Block(string text) => AddressRange.Parse(text).Block;

    /// <summary>These and an interface's address.</summary>
    public static LocalAddresses With(this LocalAddresses addresses, FlowFamily family, AddressBits own, AddressBits? broadcast) =>
        addresses.With([AddressBlock.Of(family, own)], broadcast is AddressBits many ? [AddressBlock.Of(family, many)] : []);

    /// <summary>These and blocks of the host's own.</summary>
    public static LocalAddresses WithOwn(this LocalAddresses addresses, params string[] blocks) => addresses.With([.. blocks.Select(Block)], []);
}
