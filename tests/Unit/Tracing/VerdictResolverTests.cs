using Conntracker.Core.Rulesets;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Which rule decided over a flow. A wrong one sends an administrator to the wrong line of the firewall.</summary>
public sealed class VerdictResolverTests : IDisposable
{
    private const string Rules = """
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        		ct state established accept # handle 4
        		tcp dport 443 accept # handle 5
        		jump shared # handle 6
        	}
        	chain late { # handle 2
        		type filter hook forward priority filter + 10; policy accept;
        		jump shared # handle 7
        		tcp dport 444 drop # handle 8
        	}
        	chain shared { # handle 3
        		tcp dport 445 accept # handle 9
        		tcp dport 446 drop # handle 10
        		reject # handle 11
        	}
        	chain mangle { # handle 4
        		type route hook output priority mangle; policy accept;
        		meta mark set 0x1 accept # handle 12
        	}
        	chain output { # handle 5
        		type filter hook output priority filter; policy accept;
        	}
        	chain pre { # handle 6
        		type filter hook prerouting priority raw; policy accept;
        		accept # handle 13
        		drop # handle 14
        	}
        	chain post { # handle 7
        		type nat hook postrouting priority srcnat; policy accept;
        		masquerade # handle 15
        	}
        }
        """;

    private const string Legacy = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p tcp -m tcp --dport 443 -j ACCEPT
        COMMIT
        """;

    private readonly TraceProbe _probe = new();

    public VerdictResolverTests()
    {
        _probe.Rules(Rules);
        _probe.Rules(Legacy, RulesetKind.Iptables);
    }

    public void Dispose() => _probe.Dispose();

    /// <summary>A name; the steps of a packet, as <see cref="Walk"/> reads them; the verdict; the rule.</summary>
    public static TheoryData<string, string, FlowVerdict, string?> FirstPacket => new()
    {
        { "a rule that accepts", "first forward:5 last", FlowVerdict.Accepted, "inet fw forward #2: tcp dport 443 accept" },
        { "a policy that drops", "first forward:policy=drop", FlowVerdict.Dropped, "inet fw forward policy drop" },
        { "accepted here, dropped in a later base chain", "first forward:5 late:8=drop", FlowVerdict.Dropped, "inet fw late #2: tcp dport 444 drop" },
        { "a rule decides rather than a later policy", "first forward:5 late:policy last", FlowVerdict.Accepted, "inet fw forward #2: tcp dport 443 accept" },
        { "filtering decides rather than nat", "first forward:5 post:15 last", FlowVerdict.Accepted, "inet fw forward #2: tcp dport 443 accept" },
        { "a policy of filtering decides rather than a rule of raw", "first pre:13 late:policy last", FlowVerdict.Accepted, "inet fw late policy accept" },
        { "a policy of filtering decides rather than a rule of mangling",
            "first=output mangle:12 output:policy last", FlowVerdict.Accepted, "inet fw output policy accept" },
        { "dropped before conntrack", "first pre:14=drop", FlowVerdict.Dropped, "inet fw pre #2: drop" },
        { "rejected in a chain that was called", "first forward:6=jump shared:11=drop", FlowVerdict.Rejected, "inet fw shared #3: reject" },
        { "the last of two rules that accept", "first forward:5 late:7=jump shared:9 last", FlowVerdict.Accepted, "inet fw shared #1: tcp dport 445 accept" },
        { "one chain, called from two base chains: the second call drops",
            "first forward:6=jump shared:9 late:7=jump shared:10=drop", FlowVerdict.Dropped, "inet fw shared #2: tcp dport 446 drop" },
        { "jumps and the end of chains decide nothing", "first forward:6=jump late:7=jump", FlowVerdict.Unknown, null },
        { "no end was seen: a packet that was accepted so far may be dropped yet", "first forward:5", FlowVerdict.Unknown, null },
        { "no rule of the user at all", "first last", FlowVerdict.Accepted, null },
    };

    [Theory]
    [MemberData(nameof(FirstPacket))]
    public void The_first_packets_fate_is_the_verdict(string name, string steps, FlowVerdict verdict, string? rule)
    {
        Walk(_probe.Packet(), steps);
        _probe.Flush();
        Flow flow = _probe.Flow();
        Assert.True((verdict, rule) == (flow.Verdict, flow.VerdictRule), $"{name}: {flow.Verdict} {flow.VerdictRule}");
    }

    [Fact]
    public void The_same_drop_through_a_second_base_chain_decides_though_the_first_one_let_pass_by_that_chain()
    {
        // The one rule that accepts in a shared chain must not make the later base chain look like one that was passed before.
        Walk(_probe.Packet(), "first forward:6=jump shared:9 late:7=jump shared:9 last");
        Walk(_probe.Packet(new PacketHeader { SrcPort = 2 }), "first forward:6=jump shared:9 late:7=jump shared:10=drop");
        Assert.Equal(FlowVerdict.Dropped, _probe.Flows().Single(each => each.SrcPort == 2).Verdict);
        TraceStep shared = _probe.Flows().Single(each => each.SrcPort == 40000).Trace.Single(step => step.Chain == "shared");
        Assert.Equal(2, shared.Packets);
    }

    [Theory]
    [InlineData("another rule accepts", "first forward:4 last", FlowVerdict.Accepted)]
    [InlineData("a later packet is dropped: a step, not the verdict", "first forward:policy=drop", FlowVerdict.Accepted)]
    [InlineData("dropped in a base chain that the first one passed", "first forward:4 late:8=drop", FlowVerdict.Accepted)]
    public void A_later_packet_does_not_change_the_verdict(string name, string steps, FlowVerdict verdict)
    {
        Walk(_probe.Packet(), "first forward:5 late:policy last");
        Walk(_probe.Packet(), steps);
        Flow flow = _probe.Flow();
        Assert.True(flow.Verdict == verdict && flow.VerdictRule == "inet fw forward #2: tcp dport 443 accept", $"{name}: {flow.Verdict} {flow.VerdictRule}");
        Assert.True(flow.Trace.Count >= 3, "The later packet's steps are kept.");
    }

    [Fact]
    public void A_dropped_first_packet_stays_the_verdict_though_the_second_one_passes()
    {
        Walk(_probe.Packet(), "first forward:policy=drop");
        Walk(_probe.Packet(), "first forward:5 last");
        _probe.Event(new Conn().New());
        Assert.Equal((FlowVerdict.Dropped, 2), (_probe.Flow().Verdict, _probe.Flow().Trace.Count));
    }

    [Fact]
    public void Answers_never_decide()
    {
        _probe.Event(new Conn { Id = 7 }.New());
        TracedPacket reply = new(_probe, new PacketHeader().Answer(), 7, isReply: true) { Id = 70 };
        Walk(reply, "first forward:policy=drop");
        Assert.Null(_probe.Flow().VerdictRule);
        Walk(_probe.Packet(ct: 7), "first forward:5 last");
        Assert.Equal("inet fw forward #2: tcp dport 443 accept", _probe.Flow().VerdictRule);
    }

    [Fact]
    public void An_ICMP_error_never_decides_over_the_flow_that_it_is_about()
    {
        _probe.Event(new Conn { Id = 7 }.New());
        PacketHeader error = new() { Protocol = FlowProtocol.Icmp, Src = "203.0.113.1", Dst = "192.0.2.2", Type = 3, Cause = new PacketHeader() };
        new TracedPacket(_probe, error, 7, isReply: false) { Id = 70 }.First().Tracked().Policy("inet fw forward", NF_DROP);
        Assert.Equal((FlowVerdict.Unknown, null, 1), (_probe.Flow().Verdict, _probe.Flow().VerdictRule, _probe.Flow().Trace.Count));
    }

    [Theory]
    [InlineData("nftables accepts, iptables drops", "first forward:5",
        "TRACE: filter:FORWARD:policy:2 ", false, FlowVerdict.Dropped, "filter FORWARD policy DROP")]
    [InlineData("both accept: the later rule", "first forward:5", "TRACE: filter:FORWARD:rule:1 ",
        true, FlowVerdict.Accepted, "filter FORWARD #1: -p tcp -m tcp --dport 443 -j ACCEPT")]
    [InlineData("iptables' mangle does not decide", "first forward:5", "TRACE: mangle:FORWARD:policy:1 ",
        true, FlowVerdict.Accepted, "inet fw forward #2: tcp dport 443 accept")]
    public void Both_engines_at_once_have_one_verdict(string name, string steps, string line, bool passes, FlowVerdict verdict, string rule)
    {
        TracedPacket packet = _probe.Packet();
        Walk(packet, steps);
        _probe.Line(line, new PacketHeader());
        if (passes)
        {
            packet.Last();
        }

        _probe.Flush();
        Flow flow = _probe.Flow();
        Assert.True((verdict, rule) == (flow.Verdict, flow.VerdictRule), $"{name}: {flow.Verdict} {flow.VerdictRule}");
    }

    [Fact]
    public void Over_loopback_a_packet_passes_twice_and_the_second_pass_may_drop_it()
    {
        PacketHeader header = new() { Src = "127.0.0.1", Dst = "127.0.0.1" };
        TracedPacket packet = _probe.Packet(header);
        Walk(packet, "first=output output:policy");
        Walk(packet, "first pre:14=drop");
        Assert.Equal((FlowVerdict.Dropped, 2), (_probe.Flow().Verdict, _probe.Flow().Trace.Count));
    }

    // first[=hook], last, chain:handle[=drop|jump], chain:policy[=drop].
    private static void Walk(TracedPacket packet, string steps)
    {
        foreach (string step in steps.Split(' '))
        {
            string[] parts = step.Split(':', '=');
            int verdict = parts[^1] switch { "drop" => NF_DROP, "jump" => NFT_JUMP, _ => NF_ACCEPT };
            _ = (parts[0], parts.ElementAtOrDefault(1)) switch
            {
                ("first", string hook) => packet.First(hook),
                ("first", _) => packet.First(),
                ("last", _) => packet.Last(),
                (string chain, "policy") => packet.Policy($"inet fw {chain}", verdict),
                (string chain, string handle) =>
                    packet.Rule($"inet fw {chain}",
                        ulong.Parse(handle, System.Globalization.CultureInfo.InvariantCulture), verdict, verdict == NFT_JUMP ? "shared" : ""),
                _ => throw new ArgumentException(step),
            };
        }
    }
}
