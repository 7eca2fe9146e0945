namespace Conntracker;

/// <summary>A set of ipset(8), which rules of iptables refer to by its name.</summary>
public sealed record FirewallIpSet
{
    /// <summary>The set's name.</summary>
    public required string Name { get; init; }

    /// <summary>The set and its members, in the format of <c>ipset save</c>.</summary>
    public required string Text { get; init; }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
