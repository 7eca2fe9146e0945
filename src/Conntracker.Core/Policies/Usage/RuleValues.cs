using System.Globalization;

namespace Conntracker.Core.Policies.Usage;

/// <summary>Reads the values of a rule's conditions: as nft and iptables-save print them.</summary>
internal static class RuleValues
{
    private static readonly Dictionary<string, uint> s_protocols = new()
    {
        ["icmp"] = 1,
        ["igmp"] = 2,
        ["tcp"] = 6,
        ["udp"] = 17,
        ["dccp"] = 33,
        ["gre"] = 47,
        ["esp"] = 50,
        ["ah"] = 51,
        ["ipv6-icmp"] = 58,
        ["icmpv6"] = 58,
        ["ospf"] = 89,
        ["vrrp"] = 112,
        ["sctp"] = 132,
        ["udplite"] = 136,
    };

    private static readonly Dictionary<string, uint> s_icmpTypes = new()
    {
        ["echo-reply"] = 0,
        ["destination-unreachable"] = 3,
        ["source-quench"] = 4,
        ["redirect"] = 5,
        ["echo-request"] = 8,
        ["router-advertisement"] = 9,
        ["router-solicitation"] = 10,
        ["time-exceeded"] = 11,
        ["parameter-problem"] = 12,
        ["timestamp-request"] = 13,
        ["timestamp-reply"] = 14,
    };

    private static readonly Dictionary<string, uint> s_icmpV6Types = new()
    {
        ["destination-unreachable"] = 1,
        ["packet-too-big"] = 2,
        ["time-exceeded"] = 3,
        ["parameter-problem"] = 4,
        ["echo-request"] = 128,
        ["echo-reply"] = 129,
        ["mld-listener-query"] = 130,
        ["mld-listener-report"] = 131,
        ["mld-listener-done"] = 132,
        ["nd-router-solicit"] = 133,
        ["nd-router-advert"] = 134,
        ["nd-neighbor-solicit"] = 135,
        ["nd-neighbor-advert"] = 136,
        ["nd-redirect"] = 137,
        ["mld2-listener-report"] = 143,
    };

    /// <summary>All values that a field can have.</summary>
    /// <param name="field">The field.</param>
    /// <param name="isIPv4">For addresses: of which family.</param>
    public static (UInt128 First, UInt128 Last) All(RuleField field, bool isIPv4) => field switch
    {
        RuleField.Version => (4, 6),
        RuleField.Protocol or RuleField.IcmpType => (0, byte.MaxValue),
        RuleField.SrcPort or RuleField.DstPort => (0, ushort.MaxValue),
        RuleField.State => (0, (UInt128)(RuleMatch.States.Length - 1)),
        _ => isIPv4 ? RuleMatch.AllIPv4 : (0, UInt128.MaxValue),
    };

    /// <summary>Reads one value, or a range with a dash (a colon in iptables).</summary>
    /// <returns>Null when it is not understood.</returns>
    public static (UInt128 First, UInt128 Last)? Read(RuleField field, string text, bool isIcmpV6)
    {
        if (field is RuleField.SrcAddress or RuleField.DstAddress)
        {
            return ReadAddress(text);
        }

        int dash = field is RuleField.SrcPort or RuleField.DstPort or RuleField.Protocol or RuleField.IcmpType ? text.AsSpan(1).IndexOfAny('-', ':') + 1 : 0;
        if (dash > 0 && char.IsAsciiDigit(text[0]))
        {
            return One(field, text[..dash], isIcmpV6) is uint first && One(field, text[(dash + 1)..], isIcmpV6) is uint last && first <= last
                ? (first, last)
                : null;
        }

        return One(field, text, isIcmpV6) is uint value ? (value, value) : null;
    }

    private static uint? One(RuleField field, string text, bool isIcmpV6)
    {
        if (field == RuleField.State)
        {
            int index = Array.IndexOf(RuleMatch.States, text);
            return index < 0 ? null : (uint)index;
        }

        if (field == RuleField.Version)
        {
            return text switch { "ipv4" => 4, "ipv6" => 6, _ => null };
        }

        Dictionary<string, uint>? names = field switch
        {
            RuleField.Protocol => s_protocols,
            RuleField.IcmpType => isIcmpV6 ? s_icmpV6Types : s_icmpTypes,
            _ => null,
        };
        uint number = 0;
        bool isKnown = names?.TryGetValue(text, out number) == true
            || (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= All(field, isIPv4: false).Last);
        return isKnown ? number : null;
    }

    private static (UInt128 First, UInt128 Last)? ReadAddress(string text)
    {
        string[] ends = text.Split('-');
        if (ends.Length > 2 || !AddressRange.TryParse(ends[0], out AddressRange? first) || !AddressRange.TryParse(ends[^1], out AddressRange? last)
            || first.Family != last.Family || (ends.Length == 2 && text.Contains('/', StringComparison.Ordinal)))
        {
            return null;
        }

        UInt128 offset = first.Family == FlowFamily.IPv4 ? RuleMatch.AllIPv4.First : 0;
        return (first.Block.First.ToUInt128() + offset, last.Block.Last.ToUInt128() + offset);
    }
}
