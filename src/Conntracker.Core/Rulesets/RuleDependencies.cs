using System.Text.RegularExpressions;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// What the effect of a rule depends on besides the packet, from its text: as nft or iptables-save prints it, so that words have one form.
/// </summary>
internal static partial class RuleDependencies
{
    /// <summary>What a rule depends on.</summary>
    /// <param name="engine">Whose words the text has.</param>
    /// <param name="text">The rule, without its comment.</param>
    public static FlowTestDependency Of(TraceEngine engine, string text)
    {
        // What users write in quotes (prefixes, names) says nothing.
        string words = Quoted().Replace(text, "\"\"");
        return engine == TraceEngine.Nftables
            ? Of(words, NftRate(), NftState(), NftUserSpace(), NftChance(), NftTime())
            : Of(words, IptablesRate(), IptablesState(), IptablesUserSpace(), IptablesChance(), IptablesTime());
    }

    /// <summary>Whether a rule is about another protocol than a flow's, as far as its text begins with that: such a rule cannot affect the flow.</summary>
    public static bool IsForOtherProtocol(TraceEngine engine, string text, FlowProtocol protocol)
    {
        Match named = engine == TraceEngine.Nftables ? NftProtocol().Match(text) : IptablesProtocol().Match(text);
        return named.Success && named.Groups["name"].Value switch
        {
            "tcp" => protocol != FlowProtocol.Tcp,
            "udp" => protocol != FlowProtocol.Udp,
            "sctp" => protocol != FlowProtocol.Sctp,
            "icmp" => protocol != FlowProtocol.Icmp,
            "icmpv6" or "ipv6-icmp" => protocol != FlowProtocol.IcmpV6,
            _ => false,
        };
    }

    private static FlowTestDependency Of(string words, Regex rate, Regex state, Regex userSpace, Regex chance, Regex time) =>
        (rate.IsMatch(words) ? FlowTestDependency.Rate : 0)
        | (state.IsMatch(words) ? FlowTestDependency.State : 0)
        | (userSpace.IsMatch(words) ? FlowTestDependency.UserSpace : 0)
        | (chance.IsMatch(words) ? FlowTestDependency.Chance : 0)
        | (time.IsMatch(words) ? FlowTestDependency.Time : 0);

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^(?:ip protocol |ip6 nexthdr |meta l4proto |)(?<name>tcp|udp|sctp|icmpv6|icmp|ipv6-icmp)\b(?! \{)")]
    private static partial Regex NftProtocol();

    [GeneratedRegex(@"(?<!! )-p (?<name>\S+)")]
    private static partial Regex IptablesProtocol();

    [GeneratedRegex(@"\blimit (?:name|rate)\b|\bmeter\b")]
    private static partial Regex NftRate();

    [GeneratedRegex(@"\bct count\b|\bquota\b|(?:^|\s)(?:add|update|delete) @|\bct (?:bytes|packets|avgpkt|expiration)\b|\blast\b")]
    private static partial Regex NftState();

    [GeneratedRegex(@"\b(?:queue|synproxy|tproxy|osf|ipsec|ct label)\b|\bsocket (?:transparent|mark|wildcard|cgroupv2)\b"
        + @"|\bmeta (?:cgroup|rtclassid|secmark|secpath)\b|\brt (?:classid|ipsec)\b")]
    private static partial Regex NftUserSpace();

    [GeneratedRegex(@"\bnumgen random\b|\bmeta (?:random|cpu)\b")]
    private static partial Regex NftChance();

    [GeneratedRegex(@"\bmeta (?:hour|day|time)\b")]
    private static partial Regex NftTime();

    [GeneratedRegex(@"-m (?:limit|hashlimit|rateest)\b")]
    private static partial Regex IptablesRate();

    [GeneratedRegex(@"-m (?:recent|connlimit|quota|connbytes)\b|-j SET\b|--update\b")]
    private static partial Regex IptablesState();

    [GeneratedRegex(@"-m (?:socket|cgroup|osf|policy|connlabel|cluster)\b|-j (?:NFQUEUE|QUEUE|TPROXY|SYNPROXY)\b")]
    private static partial Regex IptablesUserSpace();

    [GeneratedRegex(@"-m (?:statistic --mode random|cpu)\b")]
    private static partial Regex IptablesChance();

    [GeneratedRegex(@"-m time\b")]
    private static partial Regex IptablesTime();
}
