using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Export.Tree;

/// <summary>
/// The names of a tree's directories and entries. An entry is <c>SOURCE-PORT-DESTINATION-PORT</c>; for ICMP the type takes the place of the first
/// port and the code that of the second; for protocols without ports it is <c>SOURCE-DESTINATION</c>. No address contains a hyphen.
/// </summary>
internal static class TreeName
{
    /// <summary>The maximum length of a name, in bytes.</summary>
    public const int MaxLength = 160;

    private static readonly string[] s_sections = ["else", "in", "out"];
    private static readonly string[] s_protocols = [.. Enumerable.Range(0, 256).Select(each => NameOf((FlowProtocol)each))];

    private static ReadOnlySpan<byte> InternetWord => "INTERNET"u8;

    private static ReadOnlySpan<byte> PortWord => "PORT"u8;

    /// <summary>The sections.</summary>
    public static IReadOnlyList<TreeSection> Sections { get; } = [TreeSection.In, TreeSection.Out, TreeSection.Else];

    /// <summary>The directory of a section.</summary>
    public static string Of(TreeSection section) => s_sections[(int)section];

    /// <summary>The directory of a protocol: its name in lower case, or its number when it has no name here.</summary>
    public static string Of(FlowProtocol protocol) => s_protocols[(int)protocol];

    /// <summary>The section of a directory; null for another name.</summary>
    public static TreeSection? ToSection(string name) => Array.IndexOf(s_sections, name) is >= 0 and int index ? (TreeSection)index : null;

    /// <summary>The protocol of a directory; null for another name. Only the spelling that a writer uses is accepted.</summary>
    public static FlowProtocol? ToProtocol(string name) => Array.IndexOf(s_protocols, name) is >= 0 and int index ? (FlowProtocol)index : null;

    /// <summary>Writes an entry's name; returns its length. There must be room for <see cref="MaxLength"/> bytes.</summary>
    public static int Write(Span<byte> to, in TreeEntry entry)
    {
        int at = WriteAddress(to, entry.Src, entry.Family);
        if (entry.HasPorts)
        {
            to[at++] = (byte)'-';
            at += WritePort(to[at..], entry.Src.Port);
        }

        to[at++] = (byte)'-';
        at += WriteAddress(to[at..], entry.Dst, entry.Family);
        if (entry.HasPorts)
        {
            to[at++] = (byte)'-';
            at += WritePort(to[at..], entry.Dst.Port);
        }

        return at;
    }

    /// <summary>Reads an entry's name. Only the spelling that <see cref="Write"/> uses is accepted.</summary>
    public static bool TryParse(TreeSection section, FlowProtocol protocol, ReadOnlySpan<byte> name, out TreeEntry entry)
    {
        entry = default;
        Span<Range> parts = stackalloc Range[5];
        int count = Split(name, parts);
        bool isIcmp = FlowKey.IsIcmp(protocol);
        bool hasPorts = count == 4;
        if (count is not (2 or 4) || (hasPorts ? !isIcmp && !FlowKey.HasPorts(protocol) : FlowKey.HasPorts(protocol)))
        {
            return false;
        }

        ReadOnlySpan<byte> from = name[parts[0]];
        ReadOnlySpan<byte> to = name[parts[hasPorts ? 2 : 1]];
        FlowFamily family = from.Contains((byte)':') || to.Contains((byte)':') ? FlowFamily.IPv6 : FlowFamily.IPv4;
        int srcPort = TreeEnd.NoPort;
        int dstPort = TreeEnd.NoPort;
        if (hasPorts && !(TryParsePort(name[parts[1]], isIcmp, out srcPort) && TryParsePort(name[parts[3]], isIcmp, out dstPort)))
        {
            return false;
        }

        if (!TryParseAddress(from, section == TreeSection.In, family, srcPort, out TreeEnd src)
            || !TryParseAddress(to, section == TreeSection.Out, family, dstPort, out TreeEnd dst))
        {
            return false;
        }

        entry = new TreeEntry { Section = section, Protocol = protocol, Family = family, HasPorts = hasPorts, Src = src, Dst = dst };
        Span<byte> again = stackalloc byte[MaxLength];
        return name.SequenceEqual(again[..Write(again, in entry)]);
    }

    private static string NameOf(FlowProtocol protocol) => protocol != FlowProtocol.None && Enum.IsDefined(protocol)
        ? protocol.ToString().ToLowerInvariant()
        : ((byte)protocol).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static int WriteAddress(Span<byte> to, TreeEnd end, FlowFamily family)
    {
        if (end.Prefix == TreeEnd.Internet)
        {
            InternetWord.CopyTo(to);
            return InternetWord.Length;
        }

        int at = AddressText.Write(to, end.Address.ToUInt128(), family);
        if (end.Prefix != TreeEnd.Whole(family))
        {
            to[at++] = (byte)'_';
            at += Digits.Write(to[at..], end.Prefix);
        }

        return at;
    }

    private static int WritePort(Span<byte> to, int port)
    {
        if (port != TreeEnd.NoPort)
        {
            return Digits.Write(to, (uint)port);
        }

        PortWord.CopyTo(to);
        return PortWord.Length;
    }

    private static int Split(ReadOnlySpan<byte> name, Span<Range> parts)
    {
        int count = 0;
        foreach (Range part in name.Split((byte)'-'))
        {
            if (count == parts.Length)
            {
                break;
            }

            parts[count++] = part;
        }

        return count;
    }

    private static bool TryParsePort(ReadOnlySpan<byte> text, bool isIcmp, out int port)
    {
        port = TreeEnd.NoPort;
        if (!isIcmp && text.SequenceEqual(PortWord))
        {
            return true;
        }

        if (!Digits.TryParse(text, out uint number) || number > (isIcmp ? byte.MaxValue : ushort.MaxValue))
        {
            return false;
        }

        port = (int)number;
        return true;
    }

    private static bool TryParseAddress(ReadOnlySpan<byte> text, bool mayBeInternet, FlowFamily family, int port, out TreeEnd end)
    {
        end = new TreeEnd(default, TreeEnd.Internet, port);
        if (mayBeInternet && text.SequenceEqual(InternetWord))
        {
            return true;
        }

        uint prefix = TreeEnd.Whole(family);
        int mark = text.IndexOf((byte)'_');
        if (mark >= 0 && (!Digits.TryParse(text[(mark + 1)..], out prefix) || prefix >= TreeEnd.Whole(family)))
        {
            return false;
        }

        if (!AddressText.TryParse(mark < 0 ? text : text[..mark], family, out UInt128 address))
        {
            return false;
        }

        end = new TreeEnd(new AddressBits((ulong)(address >> 64), (ulong)address), (byte)prefix, port);
        return true;
    }
}
