using Conntracker.Core.Policies.Suggestions;
using Xunit;
using static Conntracker.Tests.Unit.Policies.Suggestions.PolicyFlow;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>What a proof asks, and what it makes of the answers. The tester is a model of the policy's own text.</summary>
public class PolicyProofTests
{
    private const string Own = "192.0.2.1";

    private static readonly FirewallRule s_rule =
        new() { Engine = TraceEngine.Nftables, Family = "inet", Table = "t", Chain = "input", Position = 3, Text = "tcp dport 22 accept" };

    [Fact]
    public void Seen_flows_and_neighbours_are_tested_as_the_filter_chains_see_them()
    {
        FirewallPolicy policy = Policy(
            In("10.0.0.1", Own, 22),
            In("10.0.0.1", Own, 22),
            Forward("203.0.113.5", Own, 8080)
                .With(each => (each.ReplySrcAddress, each.ReplySrcPort, each.IsNat) = (System.Net.IPAddress.Parse("172.17.0.2"), 80, true)));
        ModelTester tester = new(policy);
        FirewallPolicyProof proof = policy.Prove(tester, CancellationToken.None);
        Assert.Equal((2, 12, 0L), (proof.Flows, proof.Neighbours, proof.NeighboursLeftOut));
        Assert.Equal(
            [
                "In Tcp 10.0.0.1:40000 -> 192.0.2.1:22", "Forward Tcp 203.0.113.5:40000 -> 172.17.0.2:80",
                "In Tcp 10.0.0.1:40000 -> 192.0.2.1:21", "In Tcp 10.0.0.1:40000 -> 192.0.2.1:23", "In Udp 10.0.0.1:40000 -> 192.0.2.1:22",
                "In Tcp 10.0.0.0:40000 -> 192.0.2.1:22", "In Tcp 10.0.0.2:40000 -> 192.0.2.1:22",
                "Forward Tcp 203.0.113.5:40000 -> 172.17.0.2:79", "Forward Tcp 203.0.113.5:40000 -> 172.17.0.2:81",
                "Forward Udp 203.0.113.5:40000 -> 172.17.0.2:80",
                "Forward Tcp 203.0.113.4:40000 -> 172.17.0.2:80", "Forward Tcp 203.0.113.5:40000 -> 172.17.0.1:80",
                "Forward Tcp 203.0.113.6:40000 -> 172.17.0.2:80", "Forward Tcp 203.0.113.5:40000 -> 172.17.0.3:80",
            ],
            tester.Asked.Select(each => $"{each.Direction} {each}"));
    }

    [Fact]
    public void What_a_widening_contains_is_no_neighbour()
    {
        FirewallPolicy policy = Policy([.. new[] { 1, 2, 3, 6 }.Select(each => In($"10.0.0.{each}", Own, 22))]);
        ModelTester tester = new(policy);
        policy.Prove(tester, CancellationToken.None);
        Assert.Equal(4, policy.Rules[0].Widening);
        Assert.DoesNotContain(tester.Asked,
            each => each.SrcAddress.ToString() is "10.0.0.4" or "10.0.0.5" or "10.0.0.7" && each.DstPort == 22 && each.Protocol == FlowProtocol.Tcp);
    }

    [Fact]
    public void A_seen_flow_that_is_not_accepted_fails_and_names_the_rule() => AssertFails(
        flow => flow.DstPort == 22 ? new FlowTest { Flow = flow, Verdict = FlowVerdict.Dropped, Rule = s_rule } : null,
        "The flow Tcp 10.0.0.1:40000 -> 192.0.2.1:22 was seen, and the policy would not accept it: Dropped by inet t input rule 3: tcp dport 22 accept.");

    [Fact]
    public void An_answer_that_is_not_accepted_fails_and_names_the_rule() => AssertFails(
        flow => flow.DstPort == 22 ? new FlowTest { Flow = flow, Verdict = FlowVerdict.Accepted, ReplyVerdict = FlowVerdict.Rejected, ReplyRule = s_rule }
            : null,
        "The flow Tcp 10.0.0.1:40000 -> 192.0.2.1:22 was answered, and the policy would not accept the answer: Rejected by inet t input rule 3");

    [Fact]
    public void A_neighbour_that_is_accepted_fails_and_names_the_rule() => AssertFails(
        flow => flow.DstPort == 23 ? new FlowTest { Flow = flow, Verdict = FlowVerdict.Accepted, Rule = s_rule } : null,
        "The flow Tcp 10.0.0.1:40000 -> 192.0.2.1:23 (In) was not seen, and the policy would accept it, which no rule's widening says: inet t input rule 3");

    [Fact]
    public void A_flow_without_a_verdict_is_reported_as_such()
    {
        FirewallPolicy policy = Policy(In("10.0.0.1", Own, 22), In("10.0.0.1", Own, 80));
        FirewallPolicyProof proof = policy.Prove(
            new ModelTester(policy, flow => flow.DstPort == 22 ? new FlowTest { Flow = flow, Verdict = FlowVerdict.Unknown, Reason = "no route" } : null),
            CancellationToken.None);
        Assert.Equal((1, "no route"), (proof.Flows, Assert.Single(proof.Unproved).Reason));
    }

    [Theory]
    [InlineData("192.168.1.255", "192.168.1.7/24")]
    [InlineData("192.168.1.31", "192.168.1.7/27")]
    [InlineData("192.168.1.9", "192.168.1.7/32")]
    public void The_host_of_the_proof_has_the_prefix_that_a_broadcast_shows(string destination, string address)
    {
        Flow broadcast = In("192.168.1.1", destination, 138, FlowProtocol.Udp)
            .With(each => (each.Confirmed, each.ReplyProcess) = (false, new FlowProcess { Id = 1, Name = "nmbd" }));
        PolicyFlows flows = PolicyFlows.Read([broadcast, In("192.168.1.1", "192.168.1.7", 22)], new FirewallPolicyOptions());
        FirewallHost host = ProofHost.For([.. flows.Samples.Select(ProofFlow.Of)], flows.Own);
        Assert.Contains(address, host.Interfaces.Single(each => each.Name == "eth0").Addresses);
    }

    private static void AssertFails(Func<Flow, FlowTest?> answer, string message)
    {
        FirewallPolicy policy = Policy(In("10.0.0.1", Own, 22));
        ConntrackException error = Assert.Throws<ConntrackException>(() => policy.Prove(new ModelTester(policy, answer), CancellationToken.None));
        Assert.Equal(ConntrackErrorReason.PolicyProofFailed, error.Reason);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private sealed class ModelTester(FirewallPolicy policy, Func<Flow, FlowTest?>? answer = null) : IFlowTester
    {
        private readonly NftModel _model = new(policy.ToText(FirewallPolicyFormat.Nftables));

        public List<Flow> Asked { get; } = [];

        public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation)
        {
            foreach (Flow flow in flows)
            {
                Asked.Add(flow);
                yield return answer?.Invoke(flow) ?? new FlowTest
                {
                    Flow = flow,
                    Verdict = _model.Accepts(FilterPacket.Of(flow)) ? FlowVerdict.Accepted : FlowVerdict.Dropped,
                    ReplyVerdict = FlowVerdict.Accepted,
                };
            }
        }
    }
}
