using System.Globalization;
using System.Text;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Builds commands of nft for one table of ours. nft runs all of them or none.</summary>
/// <param name="table">The table's name.</param>
internal sealed class NftScript(string table)
{
    private readonly StringBuilder _text = new();

    /// <summary>Creates the table; fails if there is one of its name.</summary>
    /// <param name="flags">Its flags, separated by commas; null for none.</param>
    public NftScript CreateTable(string? flags) => Add($"create table {OwnTable.Family} {table}{(flags is null ? "" : $" {{ flags {flags}; }}")}");

    /// <summary>Adds a chain that no hook calls.</summary>
    public NftScript AddChain(string chain) => Add("add chain", chain);

    /// <summary>Adds a chain that a hook calls.</summary>
    public NftScript AddChain(string chain, string hook, int priority) =>
        Add("add chain", string.Create(CultureInfo.InvariantCulture, $"{chain} {{ type filter hook {hook} priority {priority}; }}"));

    /// <summary>Removes all rules of a chain.</summary>
    public NftScript FlushChain(string chain) => Add("flush chain", chain);

    /// <summary>Adds a rule to the end of a chain.</summary>
    public NftScript AddRule(string chain, string rule) => Add("add rule", $"{chain} {rule}");

    /// <summary>Adds a counter.</summary>
    public NftScript AddCounter(string counter) => Add("add counter", counter);

    /// <summary>Adds a set.</summary>
    /// <param name="set">Its name.</param>
    /// <param name="keyType">The type of its elements: <c>type …</c> or <c>typeof …</c>.</param>
    /// <param name="properties">Its further properties, each with a semicolon at its end.</param>
    public NftScript AddSet(string set, string keyType, string properties) => Add("add set", $"{set} {{ {keyType}; {properties} }}");

    /// <summary>Adds an element to a set; an existing element keeps its time.</summary>
    public NftScript AddElement(string set, string key, TimeSpan timeout) => Add("add element", $"{set} {{ {key} timeout {Milliseconds(timeout)} }}");

    /// <summary>Removes an element of a set; fails if it is not there.</summary>
    public NftScript DeleteElement(string set, string key) => Add("delete element", $"{set} {{ {key} }}");

    /// <summary>A time as nft reads it, at least a millisecond.</summary>
    public static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)time.TotalMilliseconds)}ms");

    /// <summary>The commands, each in a line.</summary>
    public override string ToString() => _text.ToString();

    private NftScript Add(string command, string rest) => Add($"{command} {OwnTable.Family} {table} {rest}");

    private NftScript Add(string line)
    {
        _text.Append(line).Append('\n');
        return this;
    }
}
