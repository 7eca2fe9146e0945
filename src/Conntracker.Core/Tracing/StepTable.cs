using Conntracker.Core.Native;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Every reported step, each once, with its rule's text at that time. A step that is reported between a change of its ruleset and the next read gets
/// its text after that read.
/// </summary>
internal sealed class StepTable
{
    private readonly StringPool _names;
    private readonly StepResolver _resolver;
    private readonly RuleBook _rules;
    private readonly BaseChainIds _bases = new();
    private readonly StepIds _ids = new();
    private readonly PendingSteps _pending = new();

    /// <param name="names">The names that keys hold as numbers.</param>
    /// <param name="rules">The rules.</param>
    public StepTable(StringPool names, RuleBook rules)
    {
        _names = names;
        _rules = rules;
        _resolver = new StepResolver(names, rules);
    }

    /// <summary>How many steps there are.</summary>
    public int Count => _ids.Count;

    /// <summary>Counts added steps and added texts: a snapshot with an older number is outdated.</summary>
    public int Version { get; private set; }

    /// <summary>A step.</summary>
    public Step this[int number] => _ids[number];

    /// <summary>The ruleset that a key belongs to.</summary>
    public static RulesetKind KindOf(in StepKey key) =>
        key.Engine == TraceEngine.Nftables ? RulesetKind.Nftables
        : key.Family == NftablesConstants.NFPROTO_IPV6 ? RulesetKind.Ip6tables
        : RulesetKind.Iptables;

    /// <summary>The number of the step that looks the same to users as this one: it may have been reported before and after a change.</summary>
    public int SameAs(int number) => _ids.SameAs(number);

    /// <summary>The number of a base chain, from 1; <see cref="BaseChainIds.NoId"/> for a new one when there are too many.</summary>
    public int BaseOf(in BaseKey key) => _bases.Of(in key);

    /// <summary>The number of a step; -1 when there are too many, or too many names or base chains.</summary>
    public int Of(in StepKey key)
    {
        if (key.Base < 0 || key.Table < 0 || key.Chain < 0 || key.JumpChain < 0)
        {
            return -1;
        }

        if (_ids.TryFind(in key, out int number))
        {
            return number;
        }

        RulesetKind kind = KindOf(in key);
        RuleEpoch epoch = kind == RulesetKind.Nftables ? _resolver.EpochOf(in key, _bases[key.Base]) : default;
        Step step = _resolver.Resolve(in key, _bases[key.Base], epoch);

        // Packets meet a new rule or base chain before the kernel reports the change that created it. Steps of a deleted table are late.
        bool isAhead = kind == RulesetKind.Nftables && IsNew(in key, step, epoch) && !_resolver.IsDeleted(in key);
        bool isCurrent = _rules.IsCurrent(kind) && !isAhead;
        if (!isCurrent || !_ids.TryFind(step, out number))
        {
            if (_ids.IsFull)
            {
                return -1;
            }

            number = _ids.Add(step);
            Version++;
            if (isCurrent)
            {
                _ids.Resolve(number, step);
            }
            else
            {
                bool isNext = isAhead && (_rules.IsCurrent(kind) || (epoch.Table is null && _rules.HasNftables));
                bool isUnbound = isNext || (isAhead && epoch is { Table: null, IsSure: true });
                _pending.Add(new PendingStep(number, key, _rules.Changes(kind) + (isNext ? 1 : 0), epoch, isUnbound));
            }
        }

        _ids.SetKey(in key, number);
        return number;
    }

    /// <summary>Whether the step's ruleset was not read again since it changed.</summary>
    public bool IsPending(in StepKey key) => !_rules.IsCurrent(KindOf(in key));

    /// <summary>A ruleset has changed: a handle or position that is reported from now on is another step.</summary>
    public void Forget() => _ids.ForgetKeys();

    /// <summary>
    /// All changes of a transaction were reported, or the rules were read for the first time: steps reported before are in the tables that exist now.
    /// </summary>
    public void Bind() => _pending.Bind(step =>
    {
        RuleEpoch epoch = _resolver.EpochOf(step.Key, _bases[step.Key.Base]);
        return epoch.Table is not null || _rules.HasNftables ? epoch : null;
    });

    /// <summary>A table or chain was deleted: earlier steps whose table or chain was not known belong to the deleted one.</summary>
    /// <param name="family">The table's family: NFPROTO_*.</param>
    /// <param name="table">The table's name.</param>
    /// <param name="chain">The chain's name; empty for the whole table.</param>
    public void Delete(byte family, ReadOnlySpan<byte> table, ReadOnlySpan<byte> chain)
    {
        if (_pending.HasUnbound)
        {
            int tableName = _names.Of(table);
            int? chainName = chain.IsEmpty ? null : _names.Of(chain);
            _pending.Bind(step =>
            {
                bool isThere = step.Key.Family == family && step.Key.Table == tableName && (chainName is null || _bases[step.Key.Base].Chain == chainName);
                return isThere && step.Epoch.Table is null ? RuleEpoch.None : null;
            });
        }
    }

    /// <summary>Changes of the nftables ruleset were lost: it is not known which of them created the rules of waiting steps.</summary>
    public void Lose() => _pending.Bind(_ => RuleEpoch.None);

    /// <summary>A ruleset was read: steps that waited for it get their text.</summary>
    public void Resolve(RulesetKind kind) => _pending.Remove(step => KindOf(step.Key) == kind && _rules.Covers(kind, step.Change), step =>
    {
        // Steps that were reported while the current tables were not known become sure when the names still belong to the earlier ones.
        BaseKey entered = _bases[step.Key.Base];
        RuleEpoch epoch = step.Epoch.IsSure || _resolver.Shows(step.Key, entered, step.Epoch) ? step.Epoch with { IsSure = true } : RuleEpoch.None;
        _ids.Resolve(step.Number, _resolver.Resolve(step.Key, entered, epoch));
        Version++;
    });

    /// <summary>
    /// Releases duplicate numbers: a step that was reported between a change of its ruleset and the next read got one of its own. Null while there
    /// are few. All holders of numbers must replace them at once.
    /// </summary>
    /// <returns>For each number the one that replaces it.</returns>
    public int[]? TakeDuplicates()
    {
        int[]? kept = _ids.TakeDuplicates(_pending.Numbers);
        Version += kept is null ? 0 : 1;
        return kept;
    }

    private static bool IsNew(in StepKey key, Step step, RuleEpoch epoch) =>
        (key.Type == TraceStepType.Rule && key.Place != 0 && step.View.Rule is null) || (key.Base != 0 && epoch.Chain is null);
}
