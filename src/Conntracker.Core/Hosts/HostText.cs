using System.Globalization;
using System.Text;
using Conntracker.Core.Addresses;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Hosts;

/// <summary>Addresses and prefixes of rtnetlink as text, and back.</summary>
internal static class HostText
{
    /// <summary>The longest name of an interface, in bytes (IFNAMSIZ without the zero).</summary>
    public const int LongestInterfaceName = 15;

    /// <summary>The family of an address family's number; None for another one.</summary>
    public static FlowFamily FamilyOf(int number) => number == AF_INET ? FlowFamily.IPv4 : number == AF_INET6 ? FlowFamily.IPv6 : FlowFamily.None;

    /// <summary>An address as text.</summary>
    public static string Address(FlowFamily family, AddressBits address)
    {
        Span<byte> text = stackalloc byte[AddressText.MaxLength];
        return Encoding.ASCII.GetString(text[..AddressText.Write(text, address.ToUInt128(), family)]);
    }

    /// <summary>An address with a prefix length as text.</summary>
    public static string Prefix(FlowFamily family, AddressBits address, int length) =>
        string.Create(CultureInfo.InvariantCulture, $"{Address(family, address)}/{length}");

    /// <summary>The family of an address as text; None when it is none.</summary>
    public static FlowFamily FamilyOfAddress(string text)
    {
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(text);
        return AddressText.TryParse(bytes, FlowFamily.IPv4, out _) ? FlowFamily.IPv4
            : AddressText.TryParse(bytes, FlowFamily.IPv6, out _) ? FlowFamily.IPv6
            : FlowFamily.None;
    }

    /// <summary>The family of an address with a prefix length as text; None when it is none.</summary>
    public static FlowFamily FamilyOfPrefix(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        FlowFamily family = slash < 0 ? FlowFamily.None : FamilyOfAddress(text[..slash]);
        return family != FlowFamily.None
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            && length <= AddressBlock.BitsOf(family) ? family : FlowFamily.None;
    }

    /// <summary>Whether the kernel accepts a text as the name of an interface.</summary>
    public static bool IsInterfaceName(string text) =>
        text.Length > 0 && Encoding.UTF8.GetByteCount(text) <= LongestInterfaceName && text is not ("." or "..")
        && !text.Any(each => each is '/' or ':' || char.IsWhiteSpace(each) || char.IsControl(each));
}
