namespace Conntracker.Core.Policies.Usage;

/// <summary>
/// The packets that a rule matches, as sets of values that fields of the packet must have. A rule of which any word is not understood counts as not
/// understood: nothing is concluded from it.
/// </summary>
internal sealed class RuleMatch
{
    /// <summary>The states in connection tracking.</summary>
    public static readonly string[] States = ["invalid", "established", "related", "new", "untracked"];

    /// <summary>IPv4 addresses as IPv4-mapped IPv6 addresses, so that no number stands for addresses of both families.</summary>
    public static readonly (UInt128 First, UInt128 Last) AllIPv4 = ((UInt128)0xffff << 32, ((UInt128)0xffff << 32) | uint.MaxValue);

    private readonly Dictionary<RuleField, NumberRanges> _numbers = [];
    private readonly Dictionary<RuleField, NamePatterns> _names = [];

    /// <summary>
    /// Whether each word of the rule is understood, and the rule does nothing but match, count, log, and give a verdict: it changes neither the packet
    /// nor anything that other rules look at.
    /// </summary>
    public bool IsUnderstood { get; set; }

    /// <summary>Whether the rule matches all packets with these values. False where a condition is only known to exist, such as a named set.</summary>
    public bool IsExact { get; set; } = true;

    /// <summary>The sets of numbers; a field without one may have any value.</summary>
    public IReadOnlyDictionary<RuleField, NumberRanges> Numbers => _numbers;

    /// <summary>The sets of names.</summary>
    public IReadOnlyDictionary<RuleField, NamePatterns> Names => _names;

    /// <summary>Reads a rule's text.</summary>
    public static RuleMatch Of(FirewallRule rule)
    {
        RuleMatch match = new();
        if (rule.Family is "ip" or "ip6")
        {
            match.Restrict(RuleField.Version, NumberRanges.Of(rule.Family == "ip" ? 4u : 6u, rule.Family == "ip" ? 4u : 6u));
        }

        match.IsUnderstood = rule.Type == TraceStepType.Rule
            && (rule.Engine == TraceEngine.Nftables ? new NftMatchReader(match).Read(rule.Text) : new IptablesMatchReader(match).Read(rule.Text, rule.Verdict));
        return match;
    }

    /// <summary>Adds a condition on numbers; the field must meet all conditions.</summary>
    public void Restrict(RuleField field, NumberRanges numbers) =>
        _numbers[field] = _numbers.TryGetValue(field, out NumberRanges? before) ? before.And(numbers) : numbers;

    /// <summary>Adds a condition on names.</summary>
    /// <returns>False when the field has one already: that is not understood.</returns>
    public bool Restrict(RuleField field, NamePatterns names) => _names.TryAdd(field, names);

    /// <summary>Whether certainly no packet matches both rules.</summary>
    public bool IsDisjoint(RuleMatch other) => IsUnderstood && other.IsUnderstood
        && (_numbers.Any(pair => other._numbers.TryGetValue(pair.Key, out NumberRanges? numbers) && !pair.Value.Meets(numbers))
            || _names.Any(pair => other._names.TryGetValue(pair.Key, out NamePatterns? names) && !pair.Value.Meets(names)));

    /// <summary>Whether this rule certainly matches all packets that the other one matches.</summary>
    public bool Covers(RuleMatch other) => IsUnderstood && IsExact && other.IsUnderstood
        && _numbers.All(pair => other._numbers.TryGetValue(pair.Key, out NumberRanges? numbers) && pair.Value.Covers(numbers))
        && _names.All(pair => other._names.TryGetValue(pair.Key, out NamePatterns? names) && pair.Value.Covers(names));

    /// <summary>The conditions as a text that rules with the same conditions share; null when not all of them are known exactly.</summary>
    public string? Key() => IsUnderstood && IsExact
        ? string.Join('|', _numbers.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}").Concat(
            _names.OrderBy(pair => pair.Key).Select(
                pair => $"{pair.Key} {pair.Value.IsNegated} {string.Join(' ', pair.Value.Patterns.Order(StringComparer.Ordinal))}")))
        : null;
}
