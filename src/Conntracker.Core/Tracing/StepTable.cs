using Conntracker.Core.Native;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Every step that was reported, each once, with its rule's text as it was then. A step that is reported before its ruleset was read
/// again after a change gets its text as soon as it was.
/// </summary>
internal sealed class StepTable
{
    /// <summary>Distinct steps that are kept; rulesets that change all the time make ever more of them.</summary>
    public const int MaximumSteps = 1 << 20;

    private readonly NameTable _names;
    private readonly StepResolver _resolver;
    private readonly RuleBook _rules;
    private readonly List<Step> _steps = [];
    private readonly List<int> _same = [];
    private readonly Dictionary<StepKey, int> _numbers = [];
    private readonly Dictionary<TraceStep, int> _byView = [];
    private readonly Dictionary<Step, int> _byStep = [];
    private readonly Dictionary<BaseKey, int> _baseNumbers = [];
    private readonly List<BaseKey> _bases = [default];
    private readonly List<(int Number, StepKey Key, long Change)> _pending = [];

    /// <summary>Makes an empty table.</summary>
    /// <param name="names">The names that keys hold as numbers.</param>
    /// <param name="rules">The rules.</param>
    public StepTable(NameTable names, RuleBook rules)
    {
        _names = names;
        _rules = rules;
        _resolver = new StepResolver(names, rules);
    }

    /// <summary>How many steps there are.</summary>
    public int Count => _steps.Count;

    /// <summary>Counts what was added or has got its text: a view of an older number is out of date.</summary>
    public int Version { get; private set; }

    /// <summary>A step.</summary>
    public Step this[int number] => _steps[number];

    /// <summary>The ruleset that a key belongs to.</summary>
    public static RulesetKind KindOf(in StepKey key) =>
        key.Engine == TraceEngine.Nftables ? RulesetKind.Nftables
        : key.Family == NftablesConstants.NFPROTO_IPV6 ? RulesetKind.Ip6tables
        : RulesetKind.Iptables;

    /// <summary>The number of the step that shows the same to users as this one: it may have been reported before and after a change.</summary>
    public int SameAs(int number) => _same[number];

    /// <summary>The number of a base chain, from 1.</summary>
    public int BaseOf(in BaseKey key)
    {
        if (!_baseNumbers.TryGetValue(key, out int number))
        {
            number = _bases.Count;
            _bases.Add(key);
            _baseNumbers.Add(key, number);
        }

        return number;
    }

    /// <summary>The number of a step; -1 when there are too many.</summary>
    public int Of(in StepKey key)
    {
        if (_numbers.TryGetValue(key, out int number))
        {
            return number;
        }

        RulesetKind kind = KindOf(in key);
        Step step = _resolver.Resolve(in key, _bases[key.Base]);

        // Packets meet a new rule before the kernel tells of the change that made it.
        bool isAhead = key.Engine == TraceEngine.Nftables && key.Type == TraceStepType.Rule && key.Place != 0 && step.View.Rule is null;
        bool isCurrent = _rules.IsCurrent(kind) && !isAhead;
        if (!isCurrent || !_byStep.TryGetValue(step, out number))
        {
            if (_steps.Count == MaximumSteps)
            {
                return -1;
            }

            number = Add(step, isCurrent);
            if (!isCurrent)
            {
                _pending.Add((number, key, _rules.Changes(kind) + (isAhead && _rules.IsCurrent(kind) ? 1 : 0)));
            }
        }

        _numbers.Add(key, number);
        return number;
    }

    /// <summary>Whether the step's ruleset was not read again since it changed.</summary>
    public bool IsPending(in StepKey key) => !_rules.IsCurrent(KindOf(in key));

    /// <summary>A ruleset has changed: what is reported from now on is not what was known by the same handle or position.</summary>
    public void Forget() => _numbers.Clear();

    /// <summary>A ruleset was read: steps that waited for it get their text.</summary>
    public void Resolve(RulesetKind kind)
    {
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            (int number, StepKey key, long change) = _pending[i];
            if (KindOf(in key) == kind && _rules.Covers(kind, change))
            {
                Settle(number, _resolver.Resolve(in key, _bases[key.Base]));
                _pending.RemoveAt(i);
                Version++;
            }
        }
    }

    private int Add(Step step, bool isCurrent)
    {
        int number = _steps.Count;
        _steps.Add(step);
        _same.Add(number);
        if (isCurrent)
        {
            Settle(number, step);
        }

        Version++;
        return number;
    }

    // What users see does not tell through which base chain a packet came to a chain that several call; the verdict depends on it.
    private void Settle(int number, Step step)
    {
        _steps[number] = step;
        _byStep.TryAdd(step, number);
        if (!_byView.TryAdd(step.View, number))
        {
            _same[number] = _byView[step.View];
        }
    }
}
