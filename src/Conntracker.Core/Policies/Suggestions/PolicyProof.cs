namespace Conntracker.Core.Policies.Suggestions;

/// <summary>
/// Proves a policy: every flow that it is made of is accepted, and so is its answer; neighbours that were not seen are not, unless the widening of a rule
/// contains them. The host of the proof has the addresses that the flows show, so a capture of another machine is proved as well.
/// </summary>
internal sealed class PolicyProof
{
    /// <summary>How many neighbours are tested.</summary>
    public const int MaximumNeighbours = 100_000;

    private readonly IReadOnlyList<FirewallPolicyRule> _rules;
    private readonly IFlowTester _tester;

    private PolicyProof(IReadOnlyList<FirewallPolicyRule> rules, IFlowTester tester)
    {
        _rules = rules;
        _tester = tester;
    }

    /// <summary>Proves.</summary>
    /// <exception cref="ConntrackException">A verdict is not the one that the policy is to give; the message names the flow and the rule.</exception>
    public static FirewallPolicyProof Run(
        IReadOnlyList<FirewallPolicyRule> rules, IReadOnlyList<ProofFlow> seen, OwnAddresses own, IFlowTester tester, CancellationToken cancellation)
    {
        PolicyProof proof = new(rules, tester);
        List<FlowTest> unproved = [];
        int flows = proof.TestSeen(seen, unproved, cancellation);
        (int neighbours, long leftOut) = proof.TestNeighbours(seen, own, cancellation);
        return new FirewallPolicyProof { Flows = flows, Neighbours = neighbours, NeighboursLeftOut = leftOut, Unproved = unproved };
    }

    private int TestSeen(IReadOnlyList<ProofFlow> seen, List<FlowTest> unproved, CancellationToken cancellation)
    {
        int proved = 0;
        int i = 0;
        foreach (FlowTest test in _tester.Test(seen.Select(each => each.Flow), cancellation))
        {
            ProofFlow flow = seen[i++];
            if (test.Verdict == FlowVerdict.Unknown)
            {
                unproved.Add(test);
                continue;
            }

            if (test.Verdict != FlowVerdict.Accepted)
            {
                throw Failed($"The flow {flow.Original} was seen, and the policy would not accept it: {test.Verdict} by {Describe(test.Rule)}.");
            }

            if (flow.Original.Confirmed && test.ReplyVerdict is FlowVerdict.Dropped or FlowVerdict.Rejected)
            {
                throw Failed(
                    $"The flow {flow.Original} was answered, and the policy would not accept the answer: {test.ReplyVerdict} by {Describe(test.ReplyRule)}.");
            }

            proved++;
        }

        return proved;
    }

    private (int Tested, long LeftOut) TestNeighbours(IReadOnlyList<ProofFlow> seen, OwnAddresses own, CancellationToken cancellation)
    {
        long leftOut = 0;
        HashSet<PolicyAccess> met = [];
        List<Flow> neighbours = [];
        foreach (ProofFlow flow in seen)
        {
            foreach (PolicyAccess neighbour in PolicyNeighbours.Of(flow.Access, own))
            {
                if (PolicyMatch.Accepts(_rules, neighbour, own) || !met.Add(neighbour))
                {
                    continue;
                }

                if (neighbours.Count < MaximumNeighbours)
                {
                    neighbours.Add(ProofFlow.Make(neighbour, flow.Flow));
                }
                else
                {
                    leftOut++;
                }
            }
        }

        int tested = 0;
        foreach (FlowTest test in _tester.Test(neighbours, cancellation))
        {
            if (test.Verdict == FlowVerdict.Accepted)
            {
                throw Failed(
                    $"The flow {test.Flow} ({test.Flow.Direction}) was not seen, and the policy would accept it, which no rule's widening says: "
                    + $"{Describe(test.Rule)}.");
            }

            tested += test.Verdict == FlowVerdict.Unknown ? 0 : 1;
        }

        return (tested, leftOut);
    }

    private static string Describe(FirewallRule? rule) => rule?.ToString() ?? "no rule or policy";

    private static ConntrackException Failed(string what) => new(
        ConntrackErrorReason.PolicyProofFailed,
        $"The proof of the policy failed. {what} Please report this with the flows. Without the proof the policy is made with -NoProof.");
}
