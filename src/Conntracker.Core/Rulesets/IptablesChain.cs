namespace Conntracker.Core.Rulesets;

/// <summary>One chain of a legacy table, with its rules in the order in which packets meet them.</summary>
/// <param name="Table">The table: <c>filter</c>, <c>nat</c>, <c>mangle</c>, <c>raw</c>, <c>security</c>.</param>
/// <param name="Name">The chain's name.</param>
/// <param name="Policy">The policy of a built-in chain, <c>ACCEPT</c> or <c>DROP</c>; null for a user's chain.</param>
/// <param name="Rules">The rules, in their order.</param>
internal sealed record IptablesChain(string Table, string Name, string? Policy, IReadOnlyList<IptablesRule> Rules);
