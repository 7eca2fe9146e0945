using Conntracker.Core.Policies.Suggestions;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies.Suggestions;

/// <summary>The kernel proves policies, and finds what is wrong with one.</summary>
public class PolicyProveTests
{
    private const string Own = "192.0.2.1";

    public PolicyProveTests() => TestNamespace.NeedRoot();

    public static TheoryData<int, FirewallPolicyFormat, FirewallPolicyDefault, double> Cases => new()
    {
        { 1, FirewallPolicyFormat.Nftables, FirewallPolicyDefault.Drop, 256 },
        { 60, FirewallPolicyFormat.Iptables, FirewallPolicyDefault.Drop, 0 },
        { 61, FirewallPolicyFormat.Nftables, FirewallPolicyDefault.Reject, 0 },
        { 300, FirewallPolicyFormat.Nftables, FirewallPolicyDefault.Drop, 256 },
        { 301, FirewallPolicyFormat.Iptables, FirewallPolicyDefault.Reject, 100_000 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Random_flows_are_accepted_with_their_answers_and_their_neighbours_are_not(
        int flows, FirewallPolicyFormat format, FirewallPolicyDefault verdict, double widening)
    {
        FirewallPolicyOptions options = new() { Format = format, DefaultVerdict = verdict, MaximumWidening = widening };
        FirewallPolicy policy = FirewallPolicy.Suggest(SeenFlows.Random(flows, flows), options);
        FirewallPolicyProof proof = policy.Prove(CommandLine.Program, TestContext.Current.CancellationToken);
        Assert.Empty(proof.Unproved);
        Assert.InRange(proof.Flows, 1, flows);
        Assert.True(proof.Neighbours >= proof.Flows, $"{proof.Neighbours} neighbours of {proof.Flows} flows");
    }

    [Fact]
    public void DHCP_multicast_broadcast_and_NAT_are_proved()
    {
        Flow discover = Unanswered(SeenFlows.Of(FlowDirection.In, FlowProtocol.Udp, "0.0.0.0", "255.255.255.255", 67, clientPort: 68));
        Flow offer = Unanswered(SeenFlows.Of(FlowDirection.In, FlowProtocol.Udp, "192.0.2.254", "255.255.255.255", 68, clientPort: 67));
        Flow multicast = Unanswered(SeenFlows.Of(FlowDirection.In, FlowProtocol.Udp, "192.0.2.7", "224.0.0.251", 5353, clientPort: 5353));
        Flow multicast6 = Unanswered(SeenFlows.Of(FlowDirection.In, FlowProtocol.Udp, "fe80::7", "ff02::fb", 5353, clientPort: 5353));
        Flow query = Unanswered(SeenFlows.Of(FlowDirection.Out, FlowProtocol.Udp, Own, "239.255.255.250", 1900));
        Flow broadcast = Unanswered(SeenFlows.Of(FlowDirection.In, FlowProtocol.Udp, "192.0.2.7", "192.0.2.255", 138, clientPort: 138));
        broadcast.ReplyProcess = new FlowProcess { Id = 1, Name = "nmbd" };
        Flow published = SeenFlows.Of(FlowDirection.Forward, FlowProtocol.Tcp, "203.0.113.5", Own, 8080);
        (published.ReplySrcAddress, published.ReplySrcPort, published.IsNat) = (System.Net.IPAddress.Parse("172.17.0.2"), 80, true);
        Flow ssh = SeenFlows.Of(FlowDirection.In, FlowProtocol.Tcp, "192.0.2.7", Own, 22);
        FirewallPolicy policy = FirewallPolicy.Suggest([discover, offer, multicast, multicast6, query, broadcast, published, ssh], new FirewallPolicyOptions());
        FirewallPolicyProof proof = policy.Prove(CommandLine.Program, TestContext.Current.CancellationToken);
        Assert.Empty(policy.Omitted);
        Assert.Empty(proof.Unproved);
        Assert.Equal(8, proof.Flows);
    }

    [Theory]
    [InlineData(
        "tcp dport 22 accept",
        "tcp dport 2222 accept",
        "22 was seen, and the policy would not accept it: Dropped by inet conntracker_policy input policy drop")]
    [InlineData(
        "tcp dport 22 accept",
        "tcp dport 22-23 accept",
        "23 (In) was not seen, and the policy would accept it, which no rule's widening says: inet conntracker_policy input rule 9: ip saddr 10.0.0.1")]
    [InlineData(
        "ct state established,related accept",
        "ct state related accept",
        "22 was answered, and the policy would not accept the answer: Dropped by inet conntracker_policy output policy drop")]
    public void A_ruleset_that_is_not_what_the_policy_says_fails_and_flow_and_rule_are_named(string right, string wrong, string message)
    {
        FirewallPolicy policy = FirewallPolicy.Suggest([SeenFlows.Of(FlowDirection.In, FlowProtocol.Tcp, "10.0.0.1", Own, 22)], new FirewallPolicyOptions());
        RulesetSource ruleset = policy.ToRulesets()[0] with { Text = policy.ToRulesets()[0].Text!.Replace(right, wrong, StringComparison.Ordinal) };
        PolicyFlows flows = PolicyFlows.Read([SeenFlows.Of(FlowDirection.In, FlowProtocol.Tcp, "10.0.0.1", Own, 22)], new FirewallPolicyOptions());
        FirewallHost host = ProofHost.For([.. flows.Samples.Select(ProofFlow.Of)], flows.Own);
        FirewallTrialOptions options = new() { Host = host, Rulesets = [ruleset], Program = CommandLine.Program };
        using FirewallTrial trial = FirewallTrial.Start(options, TestContext.Current.CancellationToken);
        ConntrackException error = Assert.Throws<ConntrackException>(() => policy.Prove(new TrialFlowTester(trial), TestContext.Current.CancellationToken));
        Assert.Equal(ConntrackErrorReason.PolicyProofFailed, error.Reason);
        Assert.Contains($"The flow Tcp 10.0.0.1:40000 -> 192.0.2.1:{message}", error.Message, StringComparison.Ordinal);
    }

    private static Flow Unanswered(Flow flow)
    {
        flow.Confirmed = false;
        return flow;
    }
}
