namespace Conntracker.Core.Rulesets;

/// <summary>The relevant parts of a ruleset's text. Tables that Conntracker created are left out.</summary>
internal sealed class NftRulesetParts
{
    /// <summary>The chains, in the order of the text.</summary>
    public List<NftChain> Chains { get; } = [];

    /// <summary>The tables' handles; 0 where nft does not print it.</summary>
    public Dictionary<(string Family, string Table), ulong> Tables { get; } = [];

    /// <summary>The inner lines of rules that hold a chain in braces, by the handles of their table and their own.</summary>
    public Dictionary<(ulong Table, ulong Rule), string[]> Blocks { get; } = [];

    /// <summary>The names of tables that are called as ours are, and that Conntracker has not made.</summary>
    public List<string> Lookalikes { get; } = [];
}
