using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Every reported step, each once, with its rule's text at that time. A step that is reported between a change of its ruleset and the next read gets
/// its text after that read.
/// </summary>
internal sealed class StepTable
{
    /// <summary>The maximum number of distinct steps; rulesets that change all the time create ever more of them.</summary>
    public const int MaximumSteps = 1 << 18;

    /// <summary>
    /// How many duplicate numbers there may be before they are released: fewer than a flow keeps, so that they do not displace its further steps.
    /// </summary>
    public const int MaximumDuplicates = FlowDetailStore.MaximumSteps / 4;

    /// <summary>The maximum number of base chains.</summary>
    public const int MaximumBases = 1 << 12;

    /// <summary>The number of a base chain without room in the table.</summary>
    public const int NoBase = -1;

    private readonly StringPool _names;
    private readonly StepResolver _resolver;
    private readonly RuleBook _rules;
    private readonly List<Step> _steps = [];
    private readonly List<int> _same = [];
    private readonly Dictionary<StepKey, int> _numbers = [];
    private readonly Dictionary<TraceStep, int> _byView = [];
    private readonly Dictionary<Step, int> _byStep = [];
    private readonly Dictionary<BaseKey, int> _baseNumbers = [];
    private readonly List<BaseKey> _bases = [default];
    private readonly List<PendingStep> _pending = [];
    private readonly Stack<int> _free = [];
    private int _duplicates;
    private int _ahead;

    /// <param name="names">The names that keys hold as numbers.</param>
    /// <param name="rules">The rules.</param>
    public StepTable(StringPool names, RuleBook rules)
    {
        _names = names;
        _rules = rules;
        _resolver = new StepResolver(names, rules);
    }

    /// <summary>How many steps there are.</summary>
    public int Count => _steps.Count;

    /// <summary>Counts added steps and added texts: a snapshot with an older number is outdated.</summary>
    public int Version { get; private set; }

    /// <summary>A step.</summary>
    public Step this[int number] => _steps[number];

    /// <summary>The ruleset that a key belongs to.</summary>
    public static RulesetKind KindOf(in StepKey key) =>
        key.Engine == TraceEngine.Nftables ? RulesetKind.Nftables
        : key.Family == NftablesConstants.NFPROTO_IPV6 ? RulesetKind.Ip6tables
        : RulesetKind.Iptables;

    /// <summary>The number of the step that looks the same to users as this one: it may have been reported before and after a change.</summary>
    public int SameAs(int number) => _same[number];

    /// <summary>The number of a base chain, from 1; <see cref="NoBase"/> for a new one when there are too many.</summary>
    public int BaseOf(in BaseKey key)
    {
        if (!_baseNumbers.TryGetValue(key, out int number))
        {
            if (_bases.Count > MaximumBases || key.Table < 0 || key.Chain < 0)
            {
                return NoBase;
            }

            number = _bases.Count;
            _bases.Add(key);
            _baseNumbers.Add(key, number);
        }

        return number;
    }

    /// <summary>The number of a step; -1 when there are too many, or too many names or base chains.</summary>
    public int Of(in StepKey key)
    {
        if (key.Base < 0 || key.Table < 0 || key.Chain < 0 || key.JumpChain < 0)
        {
            return -1;
        }

        if (_numbers.TryGetValue(key, out int number))
        {
            return number;
        }

        RulesetKind kind = KindOf(in key);
        RuleEpoch epoch = kind == RulesetKind.Nftables ? _resolver.EpochOf(in key, _bases[key.Base]) : default;
        Step step = _resolver.Resolve(in key, _bases[key.Base], epoch);

        // Packets meet a new rule or base chain before the kernel reports the change that created it. Steps of a deleted table are late.
        bool isAhead = kind == RulesetKind.Nftables && IsNew(in key, step, epoch) && !_resolver.IsDeleted(in key);
        bool isCurrent = _rules.IsCurrent(kind) && !isAhead;
        if (!isCurrent || !_byStep.TryGetValue(step, out number))
        {
            if (_steps.Count == MaximumSteps && _free.Count == 0)
            {
                return -1;
            }

            number = Add(step, isCurrent);
            if (!isCurrent)
            {
                bool isNext = isAhead && (_rules.IsCurrent(kind) || (epoch.Table is null && _rules.HasNftables));
                bool isUnbound = isNext || (isAhead && epoch is { Table: null, IsSure: true });
                _pending.Add(new PendingStep(number, key, _rules.Changes(kind) + (isNext ? 1 : 0), epoch, isUnbound));
                _ahead += _pending[^1].IsAhead ? 1 : 0;
            }
        }

        _numbers.Add(key, number);
        return number;
    }

    /// <summary>Whether the step's ruleset was not read again since it changed.</summary>
    public bool IsPending(in StepKey key) => !_rules.IsCurrent(KindOf(in key));

    /// <summary>A ruleset has changed: a handle or position that is reported from now on is another step.</summary>
    public void Forget() => _numbers.Clear();

    /// <summary>
    /// All changes of a transaction were reported, or the rules were read for the first time: steps reported before are in the tables that exist now.
    /// </summary>
    public void Bind() => Bind(step =>
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
        if (_ahead > 0)
        {
            int tableName = _names.Of(table);
            int? chainName = chain.IsEmpty ? null : _names.Of(chain);
            Bind(step =>
            {
                bool isThere = step.Key.Family == family && step.Key.Table == tableName && (chainName is null || _bases[step.Key.Base].Chain == chainName);
                return isThere && step.Epoch.Table is null ? RuleEpoch.None : null;
            });
        }
    }

    /// <summary>Changes of the nftables ruleset were lost: it is not known which of them created the rules of waiting steps.</summary>
    public void Lose() => Bind(_ => RuleEpoch.None);

    /// <summary>A ruleset was read: steps that waited for it get their text.</summary>
    public void Resolve(RulesetKind kind)
    {
        int kept = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            PendingStep step = _pending[i];
            if (KindOf(step.Key) != kind || !_rules.Covers(kind, step.Change))
            {
                _pending[kept++] = step;
                continue;
            }

            // Steps that were reported while the current tables were not known become sure when the names still belong to the earlier ones.
            BaseKey entered = _bases[step.Key.Base];
            RuleEpoch epoch = step.Epoch.IsSure || _resolver.Shows(step.Key, entered, step.Epoch) ? step.Epoch with { IsSure = true } : RuleEpoch.None;
            Flush(step.Number, _resolver.Resolve(step.Key, entered, epoch));
            _ahead -= step.IsAhead ? 1 : 0;
            Version++;
        }

        _pending.RemoveRange(kept, _pending.Count - kept);
    }

    /// <summary>
    /// Releases duplicate numbers: a step that was reported between a change of its ruleset and the next read got one of its own. Null while there
    /// are few. All holders of numbers must replace them at once.
    /// </summary>
    /// <returns>For each number the one that replaces it.</returns>
    public int[]? TakeDuplicates()
    {
        if (_duplicates < MaximumDuplicates)
        {
            return null;
        }

        int[] kept = new int[_steps.Count];
        HashSet<int> unsettled = [.. _pending.Select(each => each.Number), .. _free];
        for (int number = 0; number < kept.Length; number++)
        {
            kept[number] = unsettled.Contains(number) ? number : _byStep[_steps[number]];
            if (kept[number] != number)
            {
                _free.Push(number);
            }
        }

        foreach (StepKey key in _numbers.Keys)
        {
            _numbers[key] = kept[_numbers[key]];
        }

        _duplicates = 0;
        Version++;
        return kept;
    }

    // Null: not known yet.
    private void Bind(Func<PendingStep, RuleEpoch?> find)
    {
        for (int i = 0; _ahead > 0 && i < _pending.Count; i++)
        {
            if (_pending[i] is { IsAhead: true } step && find(step) is RuleEpoch epoch)
            {
                _pending[i] = step with { Epoch = epoch, IsAhead = false };
                _ahead--;
            }
        }
    }

    private static bool IsNew(in StepKey key, Step step, RuleEpoch epoch) =>
        (key.Type == TraceStepType.Rule && key.Place != 0 && step.View.Rule is null) || (key.Base != 0 && epoch.Chain is null);

    private int Add(Step step, bool isCurrent)
    {
        if (_free.TryPop(out int number))
        {
            _steps[number] = step;
            _same[number] = number;
        }
        else
        {
            number = _steps.Count;
            _steps.Add(step);
            _same.Add(number);
        }

        if (isCurrent)
        {
            Flush(number, step);
        }

        Version++;
        return number;
    }

    // Users do not see through which base chain a packet entered a chain that several call; the verdict depends on it.
    private void Flush(int number, Step step)
    {
        _steps[number] = step;
        _duplicates += _byStep.TryAdd(step, number) ? 0 : 1;
        if (!_byView.TryAdd(step.View, number))
        {
            _same[number] = _byView[step.View];
        }
    }

    // A step whose text is not read yet: after which change of its ruleset that must be, and where it was reported. Ahead: the change that created
    // its rule is not reported yet, and may have created its table as well.
    private readonly record struct PendingStep(int Number, StepKey Key, long Change, RuleEpoch Epoch, bool IsAhead);
}
