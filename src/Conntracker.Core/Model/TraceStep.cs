namespace Conntracker;

/// <summary>A rule, policy or return that packets of a flow passed.</summary>
public sealed record TraceStep
{
    /// <summary>The nftables family (<c>ip</c>, <c>ip6</c>, <c>inet</c>, …); null for iptables, where the flow's family applies.</summary>
    public string? Family { get; init; }

    /// <summary>The table's name.</summary>
    public required string Table { get; init; }

    /// <summary>The chain's name.</summary>
    public required string Chain { get; init; }

    /// <summary>The hook of the base chain (<c>forward</c>, …); null when not known.</summary>
    public string? Hook { get; init; }

    /// <summary>Whether it was a rule, a policy or a return.</summary>
    public required TraceStepType Type { get; init; }

    /// <summary>
    /// The rule's position in its chain, counted from 1, in the ruleset as the user wrote it; for a policy and for a chain's end, one
    /// past the last rule. Null when not known.
    /// </summary>
    public int? Position { get; init; }

    /// <summary>The rule's handle (NFTA_TRACE_RULE_HANDLE); null for iptables and for policies.</summary>
    public ulong? Handle { get; init; }

    /// <summary>The verdict at this step (<c>accept</c>, <c>drop</c>, <c>jump services</c>, …); null when not known.</summary>
    public string? Verdict { get; init; }

    /// <summary>The rule's text; null when not known.</summary>
    public string? Rule { get; init; }

    /// <summary>The rule's comment; null when it has none.</summary>
    public string? Comment { get; init; }

    /// <summary>How many traced packets of the flow met the step, both directions; null when not known (read from a text log).</summary>
    public long? Packets { get; init; }

    /// <summary>The packet filter that reported it.</summary>
    public required TraceEngine Engine { get; init; }

    /// <summary>The step as a trace line of the text log, without indentation.</summary>
    public override string ToString()
    {
        string table = Family is null ? Table : $"{Family} {Table}";
        string type = Type switch { TraceStepType.Policy => "policy", TraceStepType.Rule => "rule", _ => "return" };
        string line = $"table: {table}, chain: {Chain}, type: {type}";
        return Position is int position ? $"{line}, position: {position}" : line;
    }
}
