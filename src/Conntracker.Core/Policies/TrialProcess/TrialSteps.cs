using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Core.Tracing.Nftables;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>The steps that packets of the trial met. Each is resolved when it is met first.</summary>
internal sealed class TrialSteps
{
    // By NF_INET_*.
    private static readonly string[] s_hooks = ["prerouting", "input", "forward", "output", "postrouting"];

    private readonly LoadedRuleset _ruleset;
    private readonly RemovedPositions _removed;
    private readonly StringPool _names = new();
    private readonly Dictionary<StepKey, TrialStep> _steps = [];
    private readonly Dictionary<(byte Family, int Table, int Chain), int> _bases = [];
    private readonly List<TraceStep> _new = [];
    private int _count;

    public TrialSteps(LoadedRuleset ruleset, RemovedPositions removed)
    {
        _ruleset = ruleset;
        _removed = removed;
    }

    /// <summary>The number of the base chain that a message enters.</summary>
    public int BaseOf(scoped in NftTraceMessage trace)
    {
        var key = (trace.Family, _names.Of(trace.Table), _names.Of(trace.Chain));
        if (!_bases.TryGetValue(key, out int number))
        {
            _bases.Add(key, number = _bases.Count + 1);
        }

        return number;
    }

    /// <summary>The step of a message of nftables.</summary>
    /// <param name="trace">The message.</param>
    /// <param name="entered">The base chain through which the packet came: a number of <see cref="BaseOf"/>.</param>
    /// <param name="isChainEnd">Whether it reports the end of a chain that others jump to.</param>
    public TrialStep Of(scoped in NftTraceMessage trace, int entered, bool isChainEnd)
    {
        TraceStepType type = isChainEnd ? TraceStepType.Return : trace.Type;
        int table = _names.Of(trace.Table);
        int chain = _names.Of(trace.Chain);
        StepKey key = new(TraceEngine.Nftables, trace.Family, entered, table, chain, type, trace.Handle, trace.Verdict, _names.Of(trace.JumpChain));
        return _steps.TryGetValue(key, out TrialStep? step) ? step : Add(in key, ResolveNftables(in key));
    }

    /// <summary>The step of a line of iptables-legacy.</summary>
    public TrialStep Of(scoped in IptablesTraceLine line)
    {
        byte family = line.Family == FlowFamily.IPv6 ? (byte)NFPROTO_IPV6 : (byte)NFPROTO_IPV4;
        ulong position = (ulong)Math.Max(0, line.Position);
        StepKey key = new(
            TraceEngine.Iptables, family, line.Hook, _names.Of(line.Table), _names.Of(line.Chain), line.Type, position, Verdict: 0, JumpChain: 0);
        return _steps.TryGetValue(key, out TrialStep? step) ? step : Add(in key, ResolveIptables(in key));
    }

    /// <summary>The steps that were met first since the last call, in the order of their numbers.</summary>
    public IReadOnlyList<TraceStep> TakeNew()
    {
        if (_new.Count == 0)
        {
            return [];
        }

        TraceStep[] steps = [.. _new];
        _new.Clear();
        return steps;
    }

    private TrialStep Add(in StepKey key, TrialStep step)
    {
        if (step.Own == OwnChain.None)
        {
            step = step with { Number = _count++ };
            _new.Add(step.View);
        }

        _steps.Add(key, step);
        return step;
    }

    private TrialStep ResolveNftables(in StepKey key)
    {
        string family = NftFamily.NameOf(key.Family);
        string table = _names[key.Table];
        string chain = _names[key.Chain];
        NftChain? entered = null;
        int number = key.Base;
        foreach (((byte Family, int Table, int Chain) name, int each) in _bases)
        {
            bool isEntered = each == number && name.Family == key.Family && name.Table == key.Table;
            entered = isEntered ? _ruleset.Find(family, table, _names[name.Chain]) : entered;
        }

        NftChain? found = _ruleset.Find(family, table, chain);
        NftRule? rule = key.Place == 0 ? null : found?.ByHandle(key.Place);
        StepOutcome outcome = (key.Verdict, rule?.Rejects) switch
        {
            _ when key.Type == TraceStepType.Return || key.Verdict < 0 => StepOutcome.None,
            (NF_DROP, true) => StepOutcome.Reject,
            (NF_DROP, _) => StepOutcome.Drop,
            (NF_ACCEPT, _) => StepOutcome.Accept,
            _ => StepOutcome.None,
        };
        TraceStep view = new()
        {
            Engine = TraceEngine.Nftables,
            Family = family,
            Table = table,
            Chain = chain,
            Hook = entered?.Hook,
            Type = key.Type,
            Handle = key.Place == 0 ? null : key.Place,
            Position = rule?.Position ?? found?.Rules.Count + 1,
            Verdict = outcome == StepOutcome.Reject ? "reject"
                : key.Type == TraceStepType.Return ? "return"
                : StepResolver.VerdictText(key.Verdict, _names[key.JumpChain]),
            Rule = rule?.Text,
            Comment = rule?.Comment,
        };
        OwnChain own = table != TrialTables.Name ? OwnChain.None
            : chain.StartsWith(TrialTables.First, StringComparison.Ordinal) ? OwnChain.First
            : chain == TrialTables.Last + "input" ? OwnChain.LastInput
            : OwnChain.LastPostrouting;
        int index = rule is not null ? _ruleset.ByHandle(family, table, rule.Handle)
            : key.Type == TraceStepType.Policy && found is not null
                ? _ruleset.ByPosition(TraceEngine.Nftables, family, table, chain, found.Rules.Count + 1)
            : -1;
        int rank = VerdictResolver.Rank(outcome, key.Type, key.Engine, table, entered?.Hook, entered?.Type);
        return new TrialStep(-1, view, index, outcome, rank, HookPriority.Parse(entered?.Priority), own);
    }

    private TrialStep ResolveIptables(in StepKey key)
    {
        bool isIPv6 = key.Family == NFPROTO_IPV6;
        string table = _names[key.Table];
        string chain = _names[key.Chain];
        string? hook = key.Base < s_hooks.Length ? s_hooks[key.Base] : null;
        IptablesChain? found = _ruleset.Find(isIPv6, table, chain);

        // The kernel logs a rule without match that accepts, drops or returns as the chain's policy or end, wherever it is.
        int position = _removed.Original(isIPv6, table, chain, (int)key.Place);
        bool isRule = position > 0 && position <= (found?.Rules.Count ?? 0);
        IptablesRule? rule = isRule ? found!.Rules[position - 1] : null;
        TraceStepType type = isRule ? TraceStepType.Rule : key.Type;
        string? verdict = type switch
        {
            TraceStepType.Policy => found?.Policy?.ToLowerInvariant(),
            TraceStepType.Return => "return",
            _ => rule?.Verdict,
        };
        StepOutcome outcome = verdict switch
        {
            "accept" => StepOutcome.Accept,
            "drop" => StepOutcome.Drop,
            "reject" => StepOutcome.Reject,
            _ => StepOutcome.None,
        };
        TraceStep view = new()
        {
            Engine = TraceEngine.Iptables,
            Table = table,
            Chain = chain,
            Hook = hook,
            Type = type,
            Position = position,
            Verdict = verdict,
            Rule = rule?.Text,
            Comment = rule?.Comment,
        };
        string family = isIPv6 ? "ip6" : "ip";
        int index = type == TraceStepType.Return ? -1 : _ruleset.ByPosition(TraceEngine.Iptables, family, table, chain, position);
        int rank = VerdictResolver.Rank(outcome, type, key.Engine, table, hook, chainType: null);
        return new TrialStep(-1, view, index, outcome, rank, HookPriority.OfIptables(table, hook), OwnChain.None);
    }
}
