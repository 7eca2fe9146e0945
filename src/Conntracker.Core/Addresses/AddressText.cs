using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Conntracker.Core.Addresses;

/// <summary>Addresses as numbers, and as the text log writes them: IPv4 in dotted decimal, IPv6 as in RFC 5952.</summary>
internal static class AddressText
{
    /// <summary>The greatest length of an address, in bytes.</summary>
    public const int MaxLength = 45;

    private const int Hextets = 8;

    // "7." to "255.", as four bytes.
    private static readonly uint[] s_octets = Octets();

    // IPAddress would also accept scopes, brackets, prefixes and ports.
    private static readonly SearchValues<byte> s_ipv6Characters = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    /// <summary>The address as a number, without the scope of a link-local address.</summary>
    /// <exception cref="ArgumentException">The address is not of the family.</exception>
    public static UInt128 ToNumber(IPAddress address, FlowFamily family)
    {
        if (Family(address) != family)
        {
            throw new ArgumentException($"The address {address} is not an {family} address, unlike the family of its flow.", nameof(address));
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>The address of a number.</summary>
    public static IPAddress ToAddress(UInt128 number, FlowFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(family == FlowFamily.IPv4 ? bytes[12..] : bytes);
    }

    /// <summary>The family of an address.</summary>
    public static FlowFamily Family(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => FlowFamily.IPv4,
        AddressFamily.InterNetworkV6 => FlowFamily.IPv6,
        _ => FlowFamily.None,
    };

    /// <summary>Writes an address; returns its length. The buffer must hold <see cref="MaxLength"/> bytes, whatever the address.</summary>
    public static int Write(Span<byte> to, UInt128 number, FlowFamily family) =>
        family == FlowFamily.IPv4 ? WriteIPv4(to, (uint)number) : WriteIPv6(to, number);

    /// <summary>Reads an address of one family. The text must be the address alone, without a scope.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, FlowFamily family, out UInt128 number) =>
        family == FlowFamily.IPv4 ? TryParseIPv4(text, out number) : TryParseIPv6(text, out number);

    // Each octet is stored with its dot as one 32-bit word; the next one overwrites what follows its digits.
    private static int WriteIPv4(Span<byte> to, uint number)
    {
        int at = WriteOctet(to, number >> 24);
        at += WriteOctet(to[at..], (number >> 16) & 0xFF);
        at += WriteOctet(to[at..], (number >> 8) & 0xFF);
        return at + WriteOctet(to[at..], number & 0xFF) - 1;
    }

    private static int WriteOctet(Span<byte> to, uint octet)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, s_octets[octet]);
        return octet >= 100 ? 4 : octet >= 10 ? 3 : 2;
    }

    private static uint[] Octets()
    {
        uint[] octets = new uint[256];
        Span<byte> text = stackalloc byte[4];
        for (uint i = 0; i < octets.Length; i++)
        {
            text[Digits.Write(text, i)] = (byte)'.';
            octets[i] = BinaryPrimitives.ReadUInt32LittleEndian(text);
        }

        return octets;
    }

    private static int WriteIPv6(Span<byte> to, UInt128 number)
    {
        // Only the prefix of IPv4-mapped addresses shows by itself that an IPv4 address is embedded (RFC 5952, section 5).
        if (number >> 32 == 0xFFFF)
        {
            "::ffff:"u8.CopyTo(to);
            return 7 + WriteIPv4(to[7..], (uint)number);
        }

        (int gap, int gapEnd) = LongestZeros(number);
        int at = 0;
        for (int i = 0; i < Hextets; i++)
        {
            if (i == gap)
            {
                to[at++] = (byte)':';
                to[at++] = (byte)':';
                i = gapEnd - 1;
                continue;
            }

            if (i > 0 && i != gapEnd)
            {
                to[at++] = (byte)':';
            }

            at += WriteHex(to[at..], Hextet(number, i));
        }

        return at;
    }

    // The longest run of two or more zero hextets; of equal ones the first. An empty run past the end if there is none.
    private static (int Start, int End) LongestZeros(UInt128 number)
    {
        (int bestStart, int bestEnd) = (-1, -1);
        int start = 0;
        for (int i = 0; i <= Hextets; i++)
        {
            if (i < Hextets && Hextet(number, i) == 0)
            {
                continue;
            }

            if (i - start > Math.Max(1, bestEnd - bestStart))
            {
                (bestStart, bestEnd) = (start, i);
            }

            start = i + 1;
        }

        return (bestStart, bestEnd);
    }

    private static uint Hextet(UInt128 number, int index) => (ushort)(number >> ((Hextets - 1 - index) * 16));

    private static int WriteHex(Span<byte> to, uint value)
    {
        int digits = value > 0xFFF ? 4 : value > 0xFF ? 3 : value > 0xF ? 2 : 1;
        for (int i = digits - 1; i >= 0; i--, value >>= 4)
        {
            to[i] = "0123456789abcdef"u8[(int)(value & 0xF)];
        }

        return digits;
    }

    private static bool TryParseIPv4(ReadOnlySpan<byte> text, out UInt128 number)
    {
        number = default;
        uint value = 0;
        for (int part = 0; part < 4; part++)
        {
            int end = part < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (end < 0 || !Digits.TryParse(text[..end], out uint octet) || octet > byte.MaxValue)
            {
                return false;
            }

            value = (value << 8) | octet;
            text = text[Math.Min(end + 1, text.Length)..];
        }

        number = value;
        return true;
    }

    private static bool TryParseIPv6(ReadOnlySpan<byte> text, out UInt128 number)
    {
        number = default;
        if (text.Length > MaxLength || !text.Contains((byte)':') || text.ContainsAnyExcept(s_ipv6Characters)
            || !IPAddress.TryParse(text, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        number = ToNumber(address, FlowFamily.IPv6);
        return true;
    }
}
