namespace Conntracker.Core.Rulesets;

/// <summary>The output of iptables-legacy-save and ip6tables-legacy-save.</summary>
/// <param name="IPv4">The rules for IPv4; null when that family has no legacy tables.</param>
/// <param name="IPv6">The rules for IPv6; null when that family has no legacy tables.</param>
internal sealed record IptablesRulesetTexts(string? IPv4, string? IPv6);
