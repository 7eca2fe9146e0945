using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Makes rules of flows: services with the same hosts become one rule, and hosts become prefixes where they may.</summary>
internal sealed class PolicyBuilder
{
    private readonly FirewallPolicyOptions _options;
    private readonly PolicyFlows _flows;

    private PolicyBuilder(PolicyFlows flows, FirewallPolicyOptions options)
    {
        _flows = flows;
        _options = options;
    }

    /// <summary>The rules, each chain's in the order in which they are written.</summary>
    public static IReadOnlyList<FirewallPolicyRule> Build(PolicyFlows flows, FirewallPolicyOptions options) => new PolicyBuilder(flows, options).Build();

    private List<FirewallPolicyRule> Build()
    {
        List<PolicyDraft> drafts = [];
        foreach (IGrouping<(PolicyScope Scope, int Service), KeyValuePair<PolicyAccess, PolicyUsage>> service in
            _flows.Accesses.GroupBy(each => (each.Key.Scope, each.Key.Service)))
        {
            drafts.AddRange(Partition(service.Key.Scope, service.Key.Service, [.. service]));
        }

        drafts = JoinServices(drafts, isLimited: false);
        foreach (PolicyDraft draft in drafts)
        {
            OmitOwnAddress(draft);
            JoinHosts(draft);
        }

        drafts = JoinServices(drafts, isLimited: true);
        drafts.AddRange(_flows.Dhcp.Drafts(_flows.Own));
        IEnumerable<FirewallPolicyRule> ordered =
            from draft in JoinFamilies(drafts)
            orderby draft.Scope.Direction, IsForMany(draft) descending, draft.SourcePort is not null descending, draft.Usage.Connections descending,
                draft.Scope.Protocol, draft.Services[0], draft.Scope.Family, draft.Sources.Blocks[0].First, draft.Destinations.Blocks[0].First
            select draft.ToRule();
        return [.. ordered];
    }

    // What goes to broadcast and multicast addresses is accepted before the rule that drops the rest of it.
    private static bool IsForMany(PolicyDraft draft) => draft is { Scope.Direction: FlowDirection.In, IsForOwn: false } && !draft.Destinations.IsAny;

    // Who spoke to whom is a matrix. It is covered by products of sources and destinations, by rows or by columns, whichever needs fewer rules.
    private IEnumerable<PolicyDraft> Partition(PolicyScope scope, int service, KeyValuePair<PolicyAccess, PolicyUsage>[] accesses)
    {
        (NetworkSet Sources, NetworkSet Destinations, PolicyUsage Usage)[] byDestination = GroupBy(accesses, each => each.Destination, each => each.Source)
            .Select(each => (each.Values, each.Keys, each.Usage)).ToArray();
        (NetworkSet Sources, NetworkSet Destinations, PolicyUsage Usage)[] bySource = GroupBy(accesses, each => each.Source, each => each.Destination)
            .Select(each => (each.Keys, each.Values, each.Usage)).ToArray();
        return (bySource.Length < byDestination.Length ? bySource : byDestination).Select(each => new PolicyDraft
        {
            Scope = scope,
            Sources = each.Sources,
            Destinations = each.Destinations,
            Services = [service],
            Usage = each.Usage,
        });
    }

    private IEnumerable<(NetworkSet Keys, NetworkSet Values, PolicyUsage Usage)> GroupBy(
        KeyValuePair<PolicyAccess, PolicyUsage>[] accesses, Func<PolicyAccess, AddressBlock> key, Func<PolicyAccess, AddressBlock> value) =>
        from row in accesses.GroupBy(each => (Key: key(each.Key), IsOwn: _flows.Own.Contains(each.Key.Destination)))
        group row by (new NetworkSet(row.Select(each => value(each.Key))), row.Key.IsOwn) into rows
        select (new NetworkSet(rows.Select(each => each.Key.Key)), rows.Key.Item1, Sum(rows.SelectMany(each => each).Select(each => each.Value)));

    private static PolicyUsage Sum(IEnumerable<PolicyUsage> usages)
    {
        PolicyUsage sum = new();
        foreach (PolicyUsage usage in usages)
        {
            sum.Add(usage);
        }

        return sum;
    }

    // Services with the same hosts. Two rules that were widened become one only if that one is within the limit.
    private List<PolicyDraft> JoinServices(List<PolicyDraft> drafts, bool isLimited)
    {
        List<PolicyDraft> joined = [];
        foreach (IGrouping<object, PolicyDraft> same in drafts.GroupBy(each => (object)(each.Scope, each.Sources, each.Destinations, each.IsForOwn)))
        {
            PolicyDraft? open = null;
            foreach (PolicyDraft draft in same)
            {
                if (open is null || !HasServices(draft.Scope) || (isLimited && open.Joined + draft.Joined > Math.Max(_options.MaximumWidening, 0)))
                {
                    joined.Add(open = draft);
                    continue;
                }

                open.Services = [.. open.Services.Concat(draft.Services).Order()];
                open.Usage.Add(draft.Usage);
                open.Joined += draft.Joined;
            }
        }

        return joined;
    }

    private static bool HasServices(PolicyScope scope) => scope.HasPorts || scope.IsIcmp;

    // A rule need not name the address that it is for if that makes no difference, or one that is small enough.
    private void OmitOwnAddress(PolicyDraft draft)
    {
        if (draft.Scope.Direction != FlowDirection.In || !draft.Destinations.Blocks.All(_flows.Own.Contains))
        {
            return;
        }

        int own = _flows.Own.Count(draft.Scope.Family);
        double added = (own - draft.Destinations.Size) * draft.SourceCount * draft.Services.Count;
        if (added <= Math.Max(_options.MaximumWidening, 0))
        {
            draft.IsForOwn = true;
            draft.OwnCount = own;
            draft.Joined = Math.Max(added, 0);
        }
    }

    private void JoinHosts(PolicyDraft draft)
    {
        if (draft.Scope.Direction != FlowDirection.Out)
        {
            draft.Sources = Join(draft, draft.Sources, draft.DestinationCount * draft.Services.Count);
        }

        if (draft.Scope.Direction != FlowDirection.In)
        {
            draft.Destinations = Join(draft, draft.Destinations, draft.SourceCount * draft.Services.Count);
        }
    }

    private NetworkSet Join(PolicyDraft draft, NetworkSet set, double each)
    {
        double most = Math.Floor((_options.MaximumWidening - draft.Joined) / each);
        IReadOnlyList<AddressBlock> joined = NetworkJoiner.Join(set.Blocks, Math.Max(most, 0), out double added);
        draft.Joined += added * each;
        return new NetworkSet(joined);
    }

    // A rule for anybody is written once for both families.
    private static IEnumerable<PolicyDraft> JoinFamilies(List<PolicyDraft> drafts)
    {
        foreach (IGrouping<object, PolicyDraft> group in drafts.GroupBy(KeyOfBothFamilies))
        {
            PolicyDraft[] families = [.. group];
            yield return families.Length == 1 ? families[0] : new PolicyDraft
            {
                Scope = families[0].Scope with { Family = FlowFamily.None },
                Sources = families[0].Sources,
                Destinations = families[0].Destinations,
                Services = families[0].Services,
                Usage = Sum(families.Select(each => each.Usage)),
                SourcePort = families[0].SourcePort,
                IsForOwn = families[0].IsForOwn,
                WideningOfBoth = families.Sum(each => each.Widening),
            };
        }
    }

    private static object KeyOfBothFamilies(PolicyDraft draft)
    {
        bool isForAnybody = (draft.Scope.Direction == FlowDirection.Out || draft.Sources.IsAny) && (draft.IsForOwn || draft.Destinations.IsAny);
        return isForAnybody && !draft.Scope.IsIcmp && draft.SourcePort is null
            ? (draft.Scope with { Family = FlowFamily.None }, draft.IsForOwn, string.Join(',', draft.Services))
            : draft;
    }
}
