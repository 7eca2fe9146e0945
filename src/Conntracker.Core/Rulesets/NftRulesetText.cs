namespace Conntracker.Core.Rulesets;

/// <summary>The nftables ruleset as it was read.</summary>
/// <param name="Text">As <c>nft -a -s -t list ruleset</c> prints it, and below that a line for each <see cref="NftAnonymousChain"/>.</param>
/// <param name="Hindrance">Why no child process has read it, in a sentence or more; null when one has.</param>
internal sealed record NftRulesetText(string Text, string? Hindrance = null)
{
    /// <summary>Why the handles of rules in anonymous chains could not be read, in a sentence or more; null when they were, or there are none.</summary>
    public string? AnonymousError { get; init; }
}
