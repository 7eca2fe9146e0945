namespace Conntracker.Core.Rulesets;

/// <summary>One rule of the user's nftables ruleset, as <c>nft -a -s list ruleset</c> shows it.</summary>
internal sealed class NftRule
{
    /// <summary>The kernel's number of the rule, unique in its table, never changed while the rule lives.</summary>
    public required ulong Handle { get; init; }

    /// <summary>The rule's place in its chain, counted from 1.</summary>
    public required int Position { get; init; }

    /// <summary>
    /// What the rule does, in nft's words and on one line: without the handle and without the rule's comment. Empty for a rule without
    /// an expression. A quoted string in it (a log prefix) may hold any character, a line feed too.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>The rule's comment without its quotes; null when it has none.</summary>
    public string? Comment { get; init; }

    /// <summary>
    /// Whether the rule refuses packets with an answer (<c>reject</c>, or iptables' target REJECT): the kernel traces it as a drop.
    /// </summary>
    public bool Rejects { get; init; }
}
