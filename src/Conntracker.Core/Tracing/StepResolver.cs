using Conntracker.Core.Rulesets;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing;

/// <summary>Gives a reported step its rule's text, position and verdict.</summary>
internal sealed class StepResolver
{
    // By NF_INET_*, which are also the numbers in NFULA_PACKET_HDR.
    private static readonly string[] s_hooks = ["prerouting", "input", "forward", "output", "postrouting"];

    private readonly StringPool _names;
    private readonly RuleBook _rules;

    public StepResolver(StringPool names, RuleBook rules)
    {
        _names = names;
        _rules = rules;
    }

    /// <summary>The step of a key, with all that the rules read last show of it.</summary>
    /// <param name="key">The step.</param>
    /// <param name="entered">The base chain through which the packet came; the default when not known.</param>
    /// <param name="epoch">nftables: the table and base chain of these names in which it was reported.</param>
    public Step Resolve(in StepKey key, BaseKey entered, RuleEpoch epoch) =>
        key.Engine == TraceEngine.Nftables ? ResolveNftables(in key, entered, epoch) : ResolveIptables(in key, entered);

    /// <summary>The table and base chain of a step of nftables that is reported now.</summary>
    public RuleEpoch EpochOf(in StepKey key, BaseKey entered) =>
        _rules.Epochs.Of(FamilyName(key.Family), _names[key.Table], BaseChainOf(in key, entered));

    /// <summary>Whether the table of a step was deleted, and none of its name has been created since.</summary>
    public bool IsDeleted(in StepKey key) => _rules.Epochs.IsDeleted(FamilyName(key.Family), _names[key.Table]);

    /// <summary>Whether the rules read last show the table and base chain of a step.</summary>
    public bool Shows(in StepKey key, BaseKey entered, RuleEpoch epoch) =>
        _rules.Shows(FamilyName(key.Family), _names[key.Table], BaseChainOf(in key, entered), epoch);

    /// <summary>What nft calls a family.</summary>
    public static string FamilyName(byte family) => NftFamily.NameOf(family);

    private string? BaseChainOf(in StepKey key, BaseKey entered) =>
        key.Base != 0 && entered.Family == key.Family && entered.Table == key.Table ? _names[entered.Chain] : null;

    private Step ResolveNftables(in StepKey key, BaseKey entered, RuleEpoch epoch)
    {
        string family = FamilyName(key.Family);
        string table = _names[key.Table];
        string chain = _names[key.Chain];
        NftChain? baseChain = BaseChainOf(in key, entered) is string name ? _rules.FindBaseChain(family, table, name, epoch) : null;
        NftRule? rule = key.Place == 0 ? null : _rules.FindRule(family, table, chain, key.Place, epoch);
        if (rule is not null && key.Type == TraceStepType.Rule && RuleVerdict.Contradicts(rule, key.Verdict))
        {
            // The table was deleted and created again, which the kernel has not reported yet: the handle belongs to another rule now.
            rule = null;
        }

        NftChain? ended = key.Place != 0 ? null : entered.Chain == key.Chain ? baseChain : _rules.FindChain(family, table, chain, epoch);
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
            Hook = baseChain?.Hook,
            Type = key.Type,
            Handle = key.Place == 0 ? null : key.Place,
            Position = rule?.Position ?? ended?.Rules.Count + 1,
            Verdict = outcome == StepOutcome.Reject ? "reject" : key.Type == TraceStepType.Return ? "return" : VerdictText(key.Verdict, _names[key.JumpChain]),
            Rule = rule?.Text,
            Comment = rule?.Comment,
        };
        return new Step(view, key.Base, outcome,
            VerdictResolver.Rank(outcome, key.Type, key.Engine, table, baseChain?.Hook, baseChain?.Type), HookPriority.Parse(baseChain?.Priority));
    }

    private Step ResolveIptables(in StepKey key, BaseKey entered)
    {
        string table = _names[key.Table];
        string chain = _names[key.Chain];
        string? hook = key.Base != 0 && entered.Chain < s_hooks.Length ? s_hooks[entered.Chain] : null;
        IptablesChain? found = _rules.FindChain(StepTable.KindOf(in key), table, chain);

        // The kernel logs a rule without match that accepts, drops or returns as the chain's policy or end, wherever it is.
        bool isRule = key.Place != 0 && key.Place <= (ulong)(found?.Rules.Count ?? 0);
        IptablesRule? rule = isRule ? found!.Rules[(int)key.Place - 1] : null;
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
            Position = (int)key.Place,
            Verdict = verdict,
            Rule = rule?.Text,
            Comment = rule?.Comment,
        };
        return new Step(view, key.Base, outcome,
            VerdictResolver.Rank(outcome, type, key.Engine, table, hook, chainType: null), HookPriority.OfIptables(table, hook));
    }

    /// <summary>A verdict in the words of nft.</summary>
    /// <param name="verdict">NF_* or NFT_*.</param>
    /// <param name="jumpChain">The chain that a jump or goto leads to.</param>
    public static string VerdictText(int verdict, string jumpChain) => verdict switch
    {
        NFT_JUMP => $"jump {jumpChain}",
        NFT_GOTO => $"goto {jumpChain}",
        NFT_RETURN => "return",
        NFT_CONTINUE or NFT_BREAK => "continue",
        _ => (verdict & NF_VERDICT_MASK) switch
        {
            NF_DROP => "drop",
            NF_ACCEPT => "accept",
            NF_STOLEN => "stolen",
            NF_QUEUE => "queue",
            int other => $"verdict {other}",
        },
    };
}
