using System.Text;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>
/// The rules as they were when packets traversed them. Changes of a ruleset are counted as they are reported; the meaning of a handle or a position
/// is known once a text was read that was requested after the last change. The previous text is kept: it contains what the change deleted. For a
/// table or base chain of nftables only a text that shows the same object is used, not one with another object of the same name.
/// </summary>
internal sealed class RuleBook
{
    private readonly Generation[] _generations = [new(), new(), new()];
    private NftRuleset? _nftables;
    private NftRuleset? _nftablesBefore;
    private long _lost;
    private readonly IptablesRuleset?[] _iptables = new IptablesRuleset?[3];
    private readonly IptablesRuleset?[] _iptablesBefore = new IptablesRuleset?[3];

    /// <summary>The current tables and base chains of nftables by name.</summary>
    public RuleEpochs Epochs { get; } = new();

    /// <summary>Whether the text of nftables' rules was read at least once.</summary>
    public bool HasNftables => _nftables is not null;

    /// <summary>The rules and policies that were read last; none of a ruleset that was never read.</summary>
    public IReadOnlyList<FirewallRule> ToRules() =>
    [
        .. FirewallRuleList.Of(_nftables ?? NftRuleset.Empty),
        .. FirewallRuleList.Of(_iptables[(int)RulesetKind.Iptables] ?? IptablesRuleset.Empty, FlowFamily.IPv4),
        .. FirewallRuleList.Of(_iptables[(int)RulesetKind.Ip6tables] ?? IptablesRuleset.Empty, FlowFamily.IPv6),
    ];

    /// <summary>How often a ruleset has changed.</summary>
    public long Changes(RulesetKind kind) => _generations[(int)kind].Changes;

    /// <summary>Whether the last text read was requested after the last change.</summary>
    public bool IsCurrent(RulesetKind kind) => Covers(kind, Changes(kind));

    /// <summary>Whether the last text read was requested after a change; also true when the read failed.</summary>
    public bool Covers(RulesetKind kind, long change) => _generations[(int)kind].Covered >= change;

    /// <summary>Whether the ruleset has changed since its text was last requested.</summary>
    public bool IsStale(RulesetKind kind) => _generations[(int)kind].Requested < Changes(kind);

    /// <summary>The ruleset has changed.</summary>
    public void Change(RulesetKind kind) => _generations[(int)kind].Changes++;

    /// <summary>Reports of nftables were lost, and changes of its ruleset may be among them.</summary>
    public void Lose()
    {
        Change(RulesetKind.Nftables);
        _lost = Changes(RulesetKind.Nftables);
        Epochs.Lose();
    }

    /// <summary>The ruleset's text was requested.</summary>
    public void Request(RulesetKind kind) => _generations[(int)kind].Requested = Changes(kind);

    /// <summary>Adds a part of the text.</summary>
    /// <param name="kind">The ruleset.</param>
    /// <param name="text">UTF-8.</param>
    /// <param name="isLast">Whether it is the last part.</param>
    /// <returns>True when the text is complete.</returns>
    public bool Take(RulesetKind kind, ReadOnlySpan<byte> text, bool isLast)
    {
        Generation generation = _generations[(int)kind];
        generation.Text.Write(text);
        if (!isLast)
        {
            return false;
        }

        string whole = Encoding.UTF8.GetString(generation.Text.GetBuffer().AsSpan(0, (int)generation.Text.Length));
        generation.Text.SetLength(0);
        generation.Covered = generation.Requested;
        if (kind == RulesetKind.Nftables)
        {
            _nftablesBefore = _nftables;
            _nftables = NftRuleset.Parse(whole);
            Epochs.Take(_nftables, isAfterLoss: Covers(kind, _lost));
        }
        else
        {
            _iptablesBefore[(int)kind] = _iptables[(int)kind];
            _iptables[(int)kind] = IptablesRuleset.Parse(whole);
        }

        return true;
    }

    /// <summary>Whether Conntracker created a table, in this process or in another: by its name, and by the last text read.</summary>
    /// <param name="family">NFPROTO_*.</param>
    /// <param name="table">The table's name.</param>
    public bool IsOwn(byte family, ReadOnlySpan<byte> table) => OwnTable.HasOwnName(family, table) && _nftables?.IsLookalike(table) != true;

    /// <summary>A chain of nftables; null when neither of the last two texts has it in that table.</summary>
    public NftChain? FindChain(string family, string table, string chain, RuleEpoch epoch) =>
        _nftables?.Find(family, table, chain) is { } found && IsOf(found, epoch) ? found
        : _nftablesBefore?.Find(family, table, chain) is { } before && IsOf(before, epoch) ? before
        : null;

    /// <summary>A base chain of nftables; null when neither of the last two texts has it, or it is another one of the same name.</summary>
    public NftChain? FindBaseChain(string family, string table, string chain, RuleEpoch epoch) =>
        _nftables?.Find(family, table, chain) is { } found && IsOf(found, epoch) && found.Handle == epoch.Chain ? found
        : _nftablesBefore?.Find(family, table, chain) is { } before && IsOf(before, epoch) && before.Handle == epoch.Chain ? before
        : null;

    /// <summary>A rule of nftables; null when neither of the last two texts has it in that table.</summary>
    public NftRule? FindRule(string family, string table, string chain, ulong handle, RuleEpoch epoch) =>
        (_nftables?.Find(family, table, chain) is { } found && IsOf(found, epoch) ? found.ByHandle(handle) : null)
        ?? (_nftablesBefore?.Find(family, table, chain) is { } before && IsOf(before, epoch) ? before.ByHandle(handle) : null);

    /// <summary>
    /// Whether the last text read shows the table and base chain of a step: then they were not replaced while changes were lost.
    /// </summary>
    public bool Shows(string family, string table, string? baseChain, RuleEpoch epoch) =>
        _nftables is not null && _nftables.Tables.TryGetValue((family, table), out ulong handle) && handle == epoch.Table
        && (baseChain is null || _nftables.Find(family, table, baseChain)?.Handle == epoch.Chain);

    /// <summary>A chain of iptables; null when neither of the last two texts has it.</summary>
    public IptablesChain? FindChain(RulesetKind kind, string table, string chain) =>
        _iptables[(int)kind]?.Find(table, chain) ?? _iptablesBefore[(int)kind]?.Find(table, chain);

    private static bool IsOf(NftChain chain, RuleEpoch epoch) => epoch.IsSure && chain.TableHandle == epoch.Table;

    private sealed class Generation
    {
        // Until a text is read nothing is covered, not even a ruleset without any change.
        public long Changes { get; set; } = 1;

        public long Requested { get; set; }

        public long Covered { get; set; }

        public MemoryStream Text { get; } = new();
    }
}
