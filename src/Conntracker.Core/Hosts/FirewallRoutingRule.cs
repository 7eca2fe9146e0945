namespace Conntracker;

/// <summary>A rule that chooses a routing table (<c>ip rule</c>) of a <see cref="FirewallHost"/>.</summary>
public sealed record FirewallRoutingRule
{
    /// <summary>IPv4 or IPv6.</summary>
    public required FlowFamily Family { get; init; }

    /// <summary>The preference (FRA_PRIORITY): rules with lower numbers are asked first.</summary>
    public required uint Priority { get; init; }

    /// <summary>The action (FR_ACT_*): <c>lookup</c>, <c>blackhole</c>, <c>unreachable</c>, <c>prohibit</c>.</summary>
    public string Action { get; init; } = "lookup";

    /// <summary>The routing table of the action <c>lookup</c> (FRA_TABLE).</summary>
    public uint Table { get; init; }

    /// <summary>The source prefix (FRA_SRC); null for any.</summary>
    public string? Source { get; init; }

    /// <summary>The destination prefix (FRA_DST); null for any.</summary>
    public string? Destination { get; init; }

    /// <summary>The incoming interface (FRA_IIFNAME); null for any.</summary>
    public string? InInterface { get; init; }

    /// <summary>The outgoing interface (FRA_OIFNAME); null for any.</summary>
    public string? OutInterface { get; init; }

    /// <summary>The packet mark (FRA_FWMARK); null for any.</summary>
    public uint? Mark { get; init; }

    /// <summary>The bits of the mark that count (FRA_FWMASK).</summary>
    public uint MarkMask { get; init; } = uint.MaxValue;

    /// <summary>Whether the rest of the rule is inverted (FIB_RULE_INVERT).</summary>
    public bool IsInverted { get; init; }

    /// <summary>Ignore routes with a prefix of this length or shorter (FRA_SUPPRESS_PREFIXLEN), as wg-quick(8) uses it; null for none.</summary>
    public int? SuppressPrefixLength { get; init; }

    /// <summary>The preference and the table.</summary>
    public override string ToString() => $"{Priority}: {Action} {Table}";
}
