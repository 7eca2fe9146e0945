using System.Buffers.Text;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>Reads addresses as printk writes them (%pI4 and %pI6): IPv6 always as eight groups of four digits.</summary>
internal static class KernelLogAddress
{
    private const int GroupsOfIPv6 = 8;
    private const int DigitsOfGroup = 4;
    private const int LengthOfIPv6 = (GroupsOfIPv6 * (DigitsOfGroup + 1)) - 1;

    /// <summary>Reads an address; false for other text.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out AddressBits address, out FlowFamily family)
    {
        bool isIPv6 = text.Length == LengthOfIPv6;
        family = isIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        return isIPv6 ? TryReadIPv6(text, out address) : TryReadIPv4(text, out address);
    }

    private static bool TryReadIPv4(ReadOnlySpan<byte> text, out AddressBits address)
    {
        const int Parts = 4;
        address = default;
        uint bits = 0;
        for (int i = 0; i < Parts; i++)
        {
            if (i > 0 && (text.IsEmpty || text[0] != '.'))
            {
                return false;
            }

            text = i > 0 ? text[1..] : text;
            if (!Utf8Parser.TryParse(text, out byte part, out int consumed))
            {
                return false;
            }

            bits = (bits << 8) | part;
            text = text[consumed..];
        }

        address = new AddressBits(0, bits);
        return text.IsEmpty;
    }

    private static bool TryReadIPv6(ReadOnlySpan<byte> text, out AddressBits address)
    {
        address = default;
        ulong high = 0;
        ulong low = 0;
        for (int i = 0; i < GroupsOfIPv6; i++)
        {
            ReadOnlySpan<byte> group = text.Slice(i * (DigitsOfGroup + 1), DigitsOfGroup);
            if ((i > 0 && text[(i * (DigitsOfGroup + 1)) - 1] != ':')
                || !Utf8Parser.TryParse(group, out ushort bits, out int consumed, 'x') || consumed != DigitsOfGroup)
            {
                return false;
            }

            high = (high << 16) | (low >> 48);
            low = (low << 16) | bits;
        }

        address = new AddressBits(high, low);
        return true;
    }
}
