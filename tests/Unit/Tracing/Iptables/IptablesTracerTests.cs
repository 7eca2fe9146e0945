using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>TRACE lines of iptables-legacy find their flow and their rule, though neither may be known when they come.</summary>
public sealed class IptablesTracerTests : IDisposable
{
    private const string Rules = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :services - [0:0]
        -A INPUT -j DROP
        -A FORWARD -p tcp -j services
        -A FORWARD -j DROP
        -A services -p tcp -m tcp --dport 443 -j ACCEPT
        -A services -j RETURN
        COMMIT
        """;

    private readonly TraceProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void Lines_wait_until_their_rules_are_read_and_keep_their_order()
    {
        _probe.Event(new Conn().New());
        _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader());
        _probe.Line("TRACE: filter:services:rule:1 ", new PacketHeader());
        Assert.Empty(_probe.Flow().Trace);
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Tracing.Flush(_probe.Now.UtcTicks);
        Assert.Equal(["filter FORWARD Rule 1 jump services x1", "filter services Rule 1 accept x1"], TraceProbe.Steps(_probe.Flow()));
    }

    [Theory]
    [InlineData("the rules are never read", 5100, true, true)]
    [InlineData("the rules may be read yet", 4000, true, false)]
    [InlineData("the flow is never told", 450, false, true)]
    [InlineData("the flow may be told yet", 200, false, false)]
    public void A_line_waits_only_for_a_time(string name, int milliseconds, bool isPending, bool isThere)
    {
        if (!isPending)
        {
            _probe.Rules(Rules, RulesetKind.Iptables);
        }

        _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader());
        _probe.Tracing.Flush(_probe.Now.AddMilliseconds(milliseconds).UtcTicks);
        Assert.True(_probe.Collector.FlowCount == (isThere ? 1 : 0), name);
        Assert.All(_probe.Flows(), each => Assert.Equal(isPending ? null : "jump services", each.Trace.Single().Verdict));
    }

    [Fact]
    public void A_line_before_the_flow_is_told_makes_no_second_flow()
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader());
        _probe.Event(new Conn().New());
        _probe.Flush();
        Assert.Single(_probe.Flow().Trace);
    }

    [Theory]
    [InlineData("a rule without match that drops, which the kernel calls the policy",
        "TRACE: filter:INPUT:policy:1 ", "filter INPUT #1: -j DROP", FlowVerdict.Dropped)]
    [InlineData("the policy itself", "TRACE: filter:INPUT:policy:2 ", "filter INPUT policy ACCEPT", FlowVerdict.Accepted)]
    [InlineData("behind other rules", "TRACE: filter:FORWARD:policy:2 ", "filter FORWARD #2: -j DROP", FlowVerdict.Dropped)]
    public void What_the_kernel_calls_the_policy_may_be_a_rule(string name, string line, string rule, FlowVerdict verdict)
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        TracedPacket packet = _probe.Packet().First();
        _probe.Line(line, new PacketHeader());
        if (verdict == FlowVerdict.Accepted)
        {
            packet.Last("input");
        }

        _probe.Flush();
        Assert.True((rule, verdict) == (_probe.Flow().VerdictRule, _probe.Flow().Verdict), $"{name}: {_probe.Flow().VerdictRule}");
    }

    [Theory]
    [InlineData("TRACE: filter:services:return:2 ", TraceStepType.Rule, "-j RETURN")]
    [InlineData("TRACE: filter:services:return:3 ", TraceStepType.Return, null)]
    public void A_rule_that_returns_is_told_from_the_end_of_its_chain(string line, TraceStepType type, string? rule)
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Line(line, new PacketHeader());
        _probe.Flush();
        TraceStep step = _probe.Flow().Trace.Single();
        Assert.Equal((type, rule, "return"), (step.Type, step.Rule, step.Verdict));
    }

    [Fact]
    public void A_change_of_the_rules_gives_the_same_position_to_another_rule()
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Event(new Conn().New());
        _probe.Line("TRACE: filter:services:rule:1 ", new PacketHeader());
        _probe.Request(RulesetKind.Iptables);
        _probe.Line("TRACE: filter:services:rule:1 ", new PacketHeader());
        _probe.Text(Rules.Replace("-A services -p tcp -m tcp --dport 443",
            "-A services -p tcp -m tcp --dport 22 -j DROP\n-A services -p tcp -m tcp --dport 443", StringComparison.Ordinal), RulesetKind.Iptables);
        _probe.Flush();
        Assert.Equal(["-p tcp -m tcp --dport 443 -j ACCEPT", "-p tcp -m tcp --dport 22 -j DROP"], _probe.Flow().Trace.Select(step => step.Rule));
    }

    [Fact]
    public void A_line_that_waits_for_its_flow_keeps_the_rule_that_it_was_told_of()
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Line("TRACE: filter:services:rule:1 ", new PacketHeader());
        _probe.Rules(Rules.Replace("--dport 443", "--dport 22", StringComparison.Ordinal), RulesetKind.Iptables);
        _probe.Event(new Conn().New());
        _probe.Flush();
        Assert.Equal("-p tcp -m tcp --dport 443 -j ACCEPT", _probe.Flow().Trace.Single().Rule);
    }

    [Fact]
    public void IPv6_has_rules_of_its_own()
    {
        PacketHeader header = new() { Src = "2001:db8::1", Dst = "2001:db8::2" };
        _probe.Rules(Rules, RulesetKind.Iptables);
        _probe.Rules("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", RulesetKind.Ip6tables);
        _probe.Line("TRACE: filter:INPUT:policy:1 ", header, 1);
        _probe.Flush();
        Assert.Equal((FlowVerdict.Dropped, "filter INPUT policy DROP", "input"),
            (_probe.Flow().Verdict, _probe.Flow().VerdictRule, _probe.Flow().Trace[0].Hook));
    }

    [Fact]
    public void Lines_in_a_zone_make_no_second_flow()
    {
        _probe.Rules(Rules, RulesetKind.Iptables);
        TracedPacket packet = _probe.Packet(ct: 7).First();
        _probe.Event(new Conn { Id = 7, Zone = 5 }.New());
        packet.Tracked().Last();
        _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader());
        _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader().Answer());
        _probe.Flush();
        Assert.Equal(((ushort)5, (long?)2), (_probe.Flow().Zone, _probe.Flow().Trace.Single().Packets));
    }

    [Fact]
    public void Lines_that_wait_are_bounded_and_the_oldest_go_first()
    {
        const int Bound = 1 << 16;
        for (int i = 0; i <= Bound; i++)
        {
            _probe.Now = CollectorProbe.Start;
            _probe.Line("TRACE: filter:FORWARD:rule:1 ", new PacketHeader { SrcPort = (ushort)(i == 0 ? 1 : 2) });
        }

        Assert.Equal(1, (int)_probe.Flow().SrcPort!.Value);
    }
}
