using System.Text.RegularExpressions;

namespace Conntracker.Core.Policies.Usage;

/// <summary>Whether two rules with the same text match the same packets, and what of a rule's text is compared.</summary>
internal static partial class RepeatableMatch
{
    /// <summary>Whether a rule with the same text may match a packet that the first one did not match: rates, quotas, chance, counts.</summary>
    public static bool DependsOnMore(FirewallRule rule) => Varying().IsMatch(Quoted().Replace(rule.Text, "\"\""));

    /// <summary>A rule's text without its comment and without counters.</summary>
    public static string TextOf(FirewallRule rule) =>
        rule.Engine == TraceEngine.Iptables ? Comment().Replace(rule.Text, "") : Counter().Replace(rule.Text, " ").Trim();

    /// <summary>How a rule rejects, which its verdict does not say.</summary>
    public static string AnswerOf(FirewallRule rule)
    {
        int at = rule.Verdict != "reject" ? -1 : rule.Text.IndexOf(rule.Engine == TraceEngine.Iptables ? "--reject-with" : "reject", StringComparison.Ordinal);
        return at < 0 ? "" : rule.Text[at..];
    }

    [GeneratedRegex(
        @"\b(limit|hashlimit|quota|numgen|random|statistic|recent|connlimit|connbytes|ct (count|bytes|packets|avgpkt|expiration)|last|time|hour|day|meter"
        + @"|rateest|nfacct|nth|(add|update|delete) @)")]
    private static partial Regex Varying();

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("-m comment --comment (\"(?:[^\"\\\\]|\\\\.)*\"|\\S+) ?", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"(^| )counter( packets \d+ bytes \d+)?( |$)")]
    private static partial Regex Counter();
}
