using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>The rules of a trial as the kernel has them, and their numbers in <see cref="Rules"/>.</summary>
internal sealed class LoadedRuleset
{
    private readonly Dictionary<(string Family, string Table, ulong Handle), int> _byHandle = [];
    private readonly Dictionary<(TraceEngine Engine, string Family, string Table, string Chain, int Position), int> _byPosition = [];
    private readonly Dictionary<(TraceEngine Engine, string Family, string Table, string Chain), List<Dependent>> _dependent = [];
    private readonly NftRuleset _nftables;
    private readonly IptablesRuleset[] _iptables;

    private LoadedRuleset(NftRuleset nftables, IptablesRuleset iptables, IptablesRuleset ip6tables)
    {
        _nftables = nftables;
        _iptables = [iptables, ip6tables];
        Rules =
        [
            .. FirewallRuleList.Of(nftables).Where(each => each.Table != TrialTables.Name),
            .. FirewallRuleList.Of(iptables, FlowFamily.IPv4),
            .. FirewallRuleList.Of(ip6tables, FlowFamily.IPv6),
        ];
        for (int i = 0; i < Rules.Count; i++)
        {
            FirewallRule rule = Rules[i];
            _byPosition.TryAdd((rule.Engine, rule.Family, rule.Table, rule.Chain, rule.Position), i);
            if (rule.Handle is ulong handle)
            {
                _byHandle.TryAdd((rule.Family, rule.Table, handle), i);
            }

            if (rule.Type == TraceStepType.Rule && RuleDependencies.Of(rule.Engine, rule.Text) is not FlowTestDependency.None and FlowTestDependency on)
            {
                var chain = (rule.Engine, rule.Family, rule.Table, rule.Chain);
                if (!_dependent.TryGetValue(chain, out List<Dependent>? list))
                {
                    _dependent.Add(chain, list = []);
                }

                list.Add(new Dependent(rule.Position, on, rule.Text));
            }
        }
    }

    /// <summary>All rules and policies, in their order.</summary>
    public IReadOnlyList<FirewallRule> Rules { get; }

    /// <summary>Whether a chain sees packets where they enter or leave an interface, before the trial's first chains.</summary>
    public bool NeedsIngress => _nftables.Chains.Any(each => each.Hook is "ingress" or "egress");

    /// <summary>Whether there are rules of iptables-legacy.</summary>
    public bool HasIptables => _iptables.Any(each => each.Chains.Count > 0);

    /// <summary>Reads the rules of the calling thread's network namespace.</summary>
    /// <exception cref="ConntrackException">A program is missing, or the kernel refused.</exception>
    public static LoadedRuleset Read()
    {
        IptablesRulesetTexts legacy = IptablesRulesetReader.Read();
        return new LoadedRuleset(NftRuleset.Parse(NftRulesetReader.Read().Text), IptablesRuleset.Parse(legacy.IPv4), IptablesRuleset.Parse(legacy.IPv6));
    }

    /// <summary>A chain of nftables; null when there is none.</summary>
    public NftChain? Find(string family, string table, string chain) => _nftables.Find(family, table, chain);

    /// <summary>A chain of iptables-legacy; null when there is none.</summary>
    public IptablesChain? Find(bool isIPv6, string table, string chain) => _iptables[isIPv6 ? 1 : 0].Find(table, chain);

    /// <summary>The number of a rule with a handle; -1 when there is none.</summary>
    public int ByHandle(string family, string table, ulong handle) => _byHandle.GetValueOrDefault((family, table, handle), -1);

    /// <summary>The number of the rule or policy at a position; -1 when there is none.</summary>
    public int ByPosition(TraceEngine engine, string family, string table, string chain, int position) =>
        _byPosition.GetValueOrDefault((engine, family, table, chain, position), -1);

    /// <summary>What the rules of a chain, up to a position, depend on that can concern a protocol.</summary>
    public FlowTestDependency DependenciesUpTo(TraceEngine engine, string family, string table, string chain, int position, FlowProtocol protocol)
    {
        FlowTestDependency sum = FlowTestDependency.None;
        foreach (Dependent each in _dependent.GetValueOrDefault((engine, family, table, chain)) ?? [])
        {
            sum |= each.Position <= position && !RuleDependencies.IsForOtherProtocol(engine, each.Text, protocol) ? each.On : 0;
        }

        return sum;
    }

    /// <summary>Deletes rules from the kernel. <see cref="Rules"/> and their numbers stay as they were.</summary>
    /// <param name="rules">The rules; they are found by engine, family, table, chain and position.</param>
    /// <param name="tables">Runs nft's commands.</param>
    /// <param name="loader">Runs iptables.</param>
    /// <returns>What the positions of iptables-legacy became: see <see cref="RemovedPositions"/>.</returns>
    /// <exception cref="ConntrackException">There is no such rule.</exception>
    public RemovedPositions Remove(IReadOnlyList<FirewallRule> rules, TrialTables tables, RulesetLoader loader)
    {
        RemovedPositions removed = new();

        // From the end, so that positions of iptables stay valid.
        foreach (FirewallRule wanted in rules.OrderByDescending(each => each.Position))
        {
            int number = ByPosition(wanted.Engine, wanted.Family, wanted.Table, wanted.Chain, wanted.Position);
            if (number < 0 || Rules[number].Type != TraceStepType.Rule)
            {
                throw new ConntrackException(ConntrackErrorReason.RulesetInvalid, $"The ruleset has no such rule: {wanted}.");
            }

            if (wanted.Engine == TraceEngine.Nftables)
            {
                tables.Run($"delete rule {wanted.Family} {wanted.Table} {wanted.Chain} handle {Rules[number].Handle}");
                continue;
            }

            bool isIPv6 = wanted.Family == "ip6";
            loader.RunIptables(isIPv6, "-t", wanted.Table, "-D", wanted.Chain, wanted.Position.ToString(System.Globalization.CultureInfo.InvariantCulture));
            removed.Add(isIPv6, wanted.Table, wanted.Chain, wanted.Position);
        }

        return removed;
    }

    private readonly record struct Dependent(int Position, FlowTestDependency On, string Text);
}
