using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Policies.Usage;

/// <summary>Reads the conditions of a rule of iptables-legacy.</summary>
internal sealed class IptablesMatchReader(RuleMatch match)
{
    private static readonly string[] s_modules =
        ["tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmp6", "multiport", "conntrack", "state", "comment", "iprange"];

    /// <summary>Reads what iptables-save prints after <c>-A CHAIN</c>; false when a word is not understood.</summary>
    /// <param name="text">The text.</param>
    /// <param name="verdict">The rule's verdict.</param>
    public bool Read(string text, string? verdict)
    {
        IptablesTokens tokens = new(text);
        bool isNegated = false;
        while (tokens.Next() is { IsEmpty: false } token)
        {
            string word = token.ToString();
            if (word is "!")
            {
                isNegated = true;
                continue;
            }

            bool isUnderstood = word switch
            {
                "-j" or "-g" => IsHarmless(tokens.Next().ToString(), verdict),
                "-m" => s_modules.Contains(tokens.Next().ToString()),
                "--comment" => !tokens.Next().IsEmpty,
                "-s" or "--src-range" => Numbers(RuleField.SrcAddress, tokens.Next(), isNegated),
                "-d" or "--dst-range" => Numbers(RuleField.DstAddress, tokens.Next(), isNegated),
                "-p" => Numbers(RuleField.Protocol, tokens.Next(), isNegated),
                "--sport" or "--sports" => Numbers(RuleField.SrcPort, tokens.Next(), isNegated),
                "--dport" or "--dports" => Numbers(RuleField.DstPort, tokens.Next(), isNegated),
                "--icmp-type" => Numbers(RuleField.IcmpType, tokens.Next(), isNegated),
                "--icmpv6-type" => Numbers(RuleField.IcmpType, tokens.Next(), isNegated),
                "--ctstate" or "--state" => Numbers(RuleField.State, tokens.Next(), isNegated),
                "-i" => Name(RuleField.InName, tokens.Next(), isNegated),
                "-o" => Name(RuleField.OutName, tokens.Next(), isNegated),
                _ => false,
            };
            if (!isUnderstood)
            {
                return false;
            }

            if (word is "-j" or "-g")
            {
                // What follows are the target's options.
                return true;
            }

            isNegated = false;
        }

        return true;
    }

    // Targets that neither change the packet nor what other rules look at.
    private static bool IsHarmless(string target, string? verdict) =>
        target is "ACCEPT" or "DROP" or "REJECT" or "RETURN" or "LOG" or "NFLOG" || verdict == $"jump {target}" || verdict == $"goto {target}";

    private bool Numbers(RuleField field, ReadOnlySpan<char> token, bool isNegated)
    {
        List<(UInt128, UInt128)> ranges = [];
        foreach (string value in token.ToString().Split(','))
        {
            if (value.Length == 0 || RuleValues.Read(field, field == RuleField.State ? value.ToLowerInvariant() : value, isIcmpV6: false) is not { } range)
            {
                return false;
            }

            ranges.Add(range);
        }

        bool isIPv4 = match.Numbers.TryGetValue(RuleField.Version, out NumberRanges? version) && version.Ranges is [(var first, _)] && first == 4;
        NumberRanges numbers = NumberRanges.Of(ranges);
        match.Restrict(field, isNegated ? numbers.Without(RuleValues.All(field, isIPv4)) : numbers);
        return true;
    }

    private bool Name(RuleField field, ReadOnlySpan<char> token, bool isNegated)
    {
        string name = IptablesTokens.Unquote(token);
        return name.Length > 0 && !name.Contains('*', StringComparison.Ordinal)
            && match.Restrict(field, new NamePatterns([name.EndsWith('+') ? $"{name[..^1]}*" : name], isNegated));
    }
}
