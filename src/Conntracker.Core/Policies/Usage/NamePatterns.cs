namespace Conntracker.Core.Policies.Usage;

/// <summary>A set of interface names: some names and beginnings of names, or all but these.</summary>
/// <param name="Patterns">Names; one that ends with <c>*</c> stands for all names with that beginning.</param>
/// <param name="IsNegated">Whether the set is all other names.</param>
internal sealed record NamePatterns(IReadOnlyList<string> Patterns, bool IsNegated)
{
    /// <summary>Whether the sets may have a name in common.</summary>
    public bool Meets(NamePatterns other) => (IsNegated, other.IsNegated) switch
    {
        (true, true) => true,
        (true, false) => !other.Patterns.All(name => Patterns.Any(pattern => Covers(pattern, name))),
        (false, true) => other.Meets(this),
        _ => Patterns.Any(pattern => other.Patterns.Any(name => Covers(pattern, name) || Covers(name, pattern))),
    };

    /// <summary>Whether this set certainly has all names of another one.</summary>
    public bool Covers(NamePatterns other) => (IsNegated, other.IsNegated) switch
    {
        (false, false) => other.Patterns.All(name => Patterns.Any(pattern => Covers(pattern, name))),
        (true, false) => !(this with { IsNegated = false }).Meets(other),
        (true, true) => Patterns.All(name => other.Patterns.Any(pattern => Covers(pattern, name))),
        _ => false,
    };

    private static bool Covers(string pattern, string name) => pattern.EndsWith('*')
        ? name.StartsWith(pattern[..^1], StringComparison.Ordinal)
        : pattern == name;
}
