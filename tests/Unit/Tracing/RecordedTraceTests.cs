using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>
/// What flows show of the rules that they passed, read from bytes of a real kernel. The expectations were written by hand from the rules
/// in make-traces.sh, beside the recordings.
/// </summary>
public class RecordedTraceTests
{
    private static readonly Lazy<List<Flow>> s_nftables = new(() => Fixture.Replay(Recording("trace-nftables")));
    private static readonly Lazy<List<Flow>> s_iptables = new(() => Fixture.Replay(Recording("trace-iptables")));

    /// <summary>The client's port, the verdict, the deciding rule, the steps: chain, position or policy or return, verdict.</summary>
    public static TheoryData<int, FlowVerdict, string, string> Nftables => new()
    {
        { 40001, FlowVerdict.Dropped, "inet fw forward #2: tcp dport 22 drop comment \"no ssh\"", "exempt policy accept, pre policy accept, forward 2 drop" },
        { 40002, FlowVerdict.Rejected, "inet fw forward #3: tcp dport 25 reject with tcp reset",
            "exempt policy accept, pre policy accept, post policy accept, forward 3 reject" },
        { 40003, FlowVerdict.Rejected, "inet fw forward #4: udp dport 69 reject comment \"no tftp\"",
            "exempt policy accept, pre policy accept, forward 4 reject" },
        { 40004, FlowVerdict.Accepted, "inet fw forward #5: tcp dport vmap @ports",
            "exempt policy accept, pre policy accept, forward 5 accept, late policy accept, post policy accept, forward 1 accept" },
        { 40005, FlowVerdict.Dropped, "inet fw forward #5: tcp dport vmap @ports", "exempt policy accept, pre policy accept, forward 5 drop" },
        { 40006, FlowVerdict.Accepted, "inet fw web #1: tcp dport 8082 ip ttl > 1 accept",
            "exempt policy accept, pre policy accept, forward 5 jump web, web 1 accept, late policy accept, post policy accept, forward 1 accept" },
        { 40007, FlowVerdict.Dropped, "inet fw forward policy drop",
            "exempt policy accept, pre policy accept, forward 6 jump deep, deep 3 continue, deep return return, forward policy drop" },
        { 40008, FlowVerdict.Accepted, "inet fw deeper #1: ct state new accept", "exempt policy accept, pre policy accept, forward 6 jump deep, deep 1 " +
            "goto deeper, deeper 1 accept, late policy accept, post policy accept, forward 1 accept" },
        { 40009, FlowVerdict.Accepted, "inet fw forward #7: tcp dport 7002 accept", "exempt policy accept, pre policy accept, forward 6 jump deep, deep 2 " +
            "return, forward 7 accept, late policy accept, post policy accept, forward 1 accept" },
        { 40010, FlowVerdict.Accepted, "inet fw forward #8: udp dport 53 accept",
            "exempt policy accept, pre policy accept, forward 8 accept, late policy accept, post 1 accept, forward 1 accept" },
        { 40011, FlowVerdict.Dropped, "inet fw late #1: tcp dport 9001 drop comment \"late\"",
            "exempt policy accept, pre policy accept, forward 11 accept, late 1 drop" },
        { 40012, FlowVerdict.Dropped, "inet fw incoming #1: udp dport 161 drop", "exempt policy accept, pre policy accept, incoming 1 drop" },
        { 40013, FlowVerdict.Accepted, "inet fw forward #5: tcp dport vmap @ports",
            "exempt policy accept, pre 1 accept, forward 5 accept, late policy accept, post policy accept, forward 1 accept" },
        { 40014, FlowVerdict.Dropped, "inet fw forward policy drop", "exempt policy accept, pre policy accept, forward policy drop" },
        { 40015, FlowVerdict.Dropped, "inet fw forward policy drop", "exempt 1 continue, exempt policy accept, forward policy drop" },
        { 40016, FlowVerdict.Dropped, "inet fw forward #2: tcp dport 22 drop comment \"no ssh\"", "exempt policy accept, forward 2 drop" },
        { 40017, FlowVerdict.Accepted, "inet fw deeper #1: ct state new accept",
            "exempt policy accept, forward 6 jump deep, deep 1 goto deeper, deeper 1 accept, late policy accept, forward 1 accept" },
        { 40018, FlowVerdict.Accepted, "inet fw incoming policy accept", "exempt policy accept, pre policy accept, incoming policy accept" },
    };

    /// <summary>The same; steps with their tables.</summary>
    public static TheoryData<int, FlowVerdict, string, string> Iptables => new()
    {
        { 40001, FlowVerdict.Dropped, "filter FORWARD #3: -p tcp -m tcp --dport 22 -m comment --comment \"no ssh\" -j DROP", "mangle PREROUTING policy " +
            "accept, nat PREROUTING policy accept, mangle FORWARD 1 continue, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter " +
            "services return return, filter FORWARD 3 drop" },
        { 40002, FlowVerdict.Rejected, "filter refuse #1: -p tcp -j REJECT --reject-with tcp-reset", "mangle PREROUTING policy accept, nat PREROUTING " +
            "policy accept, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter services 2 goto refuse, filter refuse 1 reject, mangle " +
            "OUTPUT policy accept, filter OUTPUT policy accept, mangle POSTROUTING policy accept, nat POSTROUTING policy accept" },
        { 40004, FlowVerdict.Accepted, "filter services #1: -p tcp -m tcp --dport 8080 -m comment --comment \"the web\" -j ACCEPT",
            "mangle PREROUTING policy accept, nat PREROUTING policy accept, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter services " +
                "1 accept, mangle POSTROUTING policy accept, nat POSTROUTING policy accept, filter FORWARD 1 accept" },
        { 40007, FlowVerdict.Dropped, "filter FORWARD policy DROP", "mangle PREROUTING policy accept, nat PREROUTING policy accept, mangle FORWARD policy " +
            "accept, filter FORWARD 2 jump services, filter services 3 return, filter FORWARD policy drop" },
        { 40010, FlowVerdict.Accepted, "filter FORWARD #4: -p udp -m udp --dport 53 -j ACCEPT", "mangle PREROUTING policy accept, nat PREROUTING policy " +
            "accept, mangle FORWARD policy accept, filter FORWARD 4 accept, mangle POSTROUTING policy accept, nat POSTROUTING 1 accept, filter FORWARD 1 " +
            "accept" },
        { 40012, FlowVerdict.Dropped, "filter INPUT #3: -j DROP",
            "mangle PREROUTING policy accept, nat PREROUTING policy accept, mangle INPUT policy accept, filter INPUT 3 drop" },
        { 40013, FlowVerdict.Accepted, "filter services #1: -p tcp -m tcp --dport 8080 -m comment --comment \"the web\" -j ACCEPT",
            "mangle PREROUTING policy accept, nat PREROUTING 1 accept, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter services 1 " +
                "accept, mangle POSTROUTING policy accept, nat POSTROUTING policy accept, filter FORWARD 1 accept" },
        { 40015, FlowVerdict.Dropped, "filter refuse #2: -j DROP",
            "mangle PREROUTING policy accept, nat PREROUTING policy accept, mangle FORWARD policy accept, filter FORWARD 5 jump refuse, filter refuse 2 drop" },
        { 40016, FlowVerdict.Dropped, "filter FORWARD #3: -p tcp -m tcp --dport 22 -m comment --comment \"no ssh\" -j DROP", "mangle PREROUTING policy " +
            "accept, mangle FORWARD 1 continue, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter services return return, filter " +
            "FORWARD 3 drop" },
        { 40017, FlowVerdict.Accepted, "filter services #1: -p tcp -m tcp --dport 8080 -m comment --comment \"the web\" -j ACCEPT",
            "mangle PREROUTING policy accept, mangle FORWARD policy accept, filter FORWARD 2 jump services, filter services 1 accept, mangle POSTROUTING " +
                "policy accept, filter FORWARD 1 accept" },
    };

    [Theory]
    [MemberData(nameof(Nftables))]
    public void A_recorded_flow_shows_the_nftables_rules_that_it_passed(int port, FlowVerdict verdict, string rule, string steps) =>
        Check(s_nftables.Value.Single(each => each.SrcPort == port), verdict, rule, steps, step => step.Chain);

    [Theory]
    [MemberData(nameof(Iptables))]
    public void A_recorded_flow_shows_the_iptables_rules_that_it_passed(int port, FlowVerdict verdict, string rule, string steps) =>
        Check(s_iptables.Value.Single(each => each.SrcPort == port), verdict, rule, steps, step => $"{step.Table} {step.Chain}");

    [Theory]
    [InlineData(40004, 10)]
    [InlineData(40010, 2)]
    [InlineData(40013, 10)]
    public void Packets_of_both_directions_are_counted_at_each_step_also_behind_NAT(int port, int packets)
    {
        Flow flow = s_nftables.Value.Single(each => each.SrcPort == port);
        Assert.Equal(packets, flow.Trace.Single(step => step.Chain == "late").Packets);
        Assert.Equal(packets - 1, flow.Trace.Single(step => step.Chain == "forward" && step.Position == 1).Packets);
    }

    [Theory]
    [InlineData("trace-nftables")]
    [InlineData("trace-iptables")]
    public void No_flow_is_there_twice_and_none_that_nobody_began(string recording)
    {
        List<Flow> flows = [.. Fixture.Replay(Recording(recording))
            .Where(each => !each.SrcAddress.IsIPv6LinkLocal && each.Protocol is FlowProtocol.Tcp or FlowProtocol.Udp)];
        Assert.Equal(recording == "trace-nftables" ? Nftables.Count : Iptables.Count, flows.Count);
        Assert.All(flows, each => Assert.True(each.SrcAddress.ToString() is "192.0.2.2" or "2001:db8:1::2", each.ToString()));
    }

    [Theory]
    [InlineData("trace-nftables")]
    [InlineData("trace-iptables")]
    public void Every_byte_of_a_trace_that_a_kernel_sent_is_understood(string recording)
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { ReplayPath = Recording(recording) });
        Assert.Equal((0, 0, 0), (session.Counters.Malformed, session.Counters.NftablesTracesLost, session.Counters.IptablesTracesLost));
        Assert.Empty(session.Notices.All());
    }

    [Fact]
    public void A_protocol_filter_keeps_dropped_flows_of_other_protocols_out()
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { ReplayPath = Recording("trace-iptables"), Protocols = [FlowProtocol.Udp] });
        Assert.Equal([40010, 40012, 40015], session.GetFlows(FlowQuery.All).Select(each => (int)each.SrcPort!.Value).Order());
    }

    [Fact]
    public void What_a_firewall_drops_can_be_asked_for()
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { ReplayPath = Recording("trace-nftables") });
        IEnumerable<Flow> dropped = session.GetFlows(new FlowQuery { Verdicts = [FlowVerdict.Dropped], Protocols = [FlowProtocol.Tcp] });
        Assert.Equal([40001, 40005, 40007, 40011, 40014, 40016], dropped.Select(each => (int)each.SrcPort!.Value).Order());
    }

    private static string Recording(string name) => Path.Combine(Path.GetDirectoryName(Fixture.Traffic)!, $"{name}.ctrec");

    private static void Check(Flow flow, FlowVerdict verdict, string rule, string steps, Func<TraceStep, string> name)
    {
        string found = string.Join(", ", flow.Trace.Select(step =>
            $"{name(step)} {(step.Type == TraceStepType.Rule ? step.Position : step.Type.ToString().ToLowerInvariant())} {step.Verdict}"));
        Assert.Equal((verdict, rule, steps), (flow.Verdict, flow.VerdictRule ?? "none", found));
        Assert.All(flow.Trace, step => Assert.True(step.Type != TraceStepType.Rule || step.Rule is not null, $"A rule without text: {step}"));
    }
}
