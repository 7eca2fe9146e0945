namespace Conntracker.Core.Rulesets;

/// <summary>One rule of iptables-legacy or ip6tables-legacy, as iptables-save shows it.</summary>
internal sealed class IptablesRule
{
    /// <summary>The rule's position in its chain, counted from 1: the number that the kernel's TRACE lines have.</summary>
    public required int Position { get; init; }

    /// <summary>What iptables-save prints after <c>-A CHAIN </c>, with the comment; empty for a rule without match and target.</summary>
    public required string Text { get; init; }

    /// <summary>The value of the first <c>-m comment --comment</c>, without quotes and escapes; null when there is none.</summary>
    public string? Comment { get; init; }

    /// <summary>The target, or the chain to go to; null for a rule that only counts.</summary>
    public string? Target { get; init; }

    /// <summary>
    /// What the target does to a packet, in the words of nftables: <c>accept</c>, <c>drop</c>, <c>reject</c>, <c>queue</c>,
    /// <c>return</c>, <c>jump CHAIN</c>, <c>goto CHAIN</c> or <c>continue</c>.
    /// </summary>
    public required string Verdict { get; init; }
}
