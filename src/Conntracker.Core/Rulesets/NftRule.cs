namespace Conntracker.Core.Rulesets;

/// <summary>One rule of the user's nftables ruleset, as <c>nft -a -s list ruleset</c> shows it.</summary>
internal sealed class NftRule
{
    /// <summary>The kernel's number of the rule, unique in its table, constant while the rule exists.</summary>
    public required ulong Handle { get; init; }

    /// <summary>The rule's position in its chain, counted from 1.</summary>
    public required int Position { get; init; }

    /// <summary>
    /// The rule in nft's words and on one line: without its handle and without its comment. Empty for a rule without an expression. A quoted string
    /// in it (a log prefix) may contain any character, even a line feed.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>The rule's comment without its quotes; null when it has none.</summary>
    public string? Comment { get; init; }

    /// <summary>
    /// Whether the rule refuses packets with an answer (<c>reject</c>, or iptables' target REJECT): the kernel traces it as a drop.
    /// </summary>
    public bool Rejects { get; init; }
}
