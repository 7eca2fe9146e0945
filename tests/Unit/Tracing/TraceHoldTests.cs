using Conntracker.Core.Native;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>
/// Packets of which nothing shows at once which flow they belong to, as on kernels before Linux 6.17, and what is reported behind our last chain.
/// </summary>
public sealed class TraceHoldTests : IDisposable
{
    private const string Rules = """
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        		ct state established accept # handle 4
        		tcp dport 443 accept # handle 5
        		udp dport 69 reject # handle 6
        		tcp dport 25 queue # handle 7
        	}
        }
        table bridge bf { # handle 2
        	chain o { # handle 1
        		type filter hook output priority filter; policy accept;
        		tcp dport 443 drop # handle 2
        	}
        }
        """;

    private static readonly PacketHeader s_original = new();
    private static readonly PacketHeader s_masqueraded = s_original with { Src = "203.0.113.1", SrcPort = 50000 };

    private readonly TraceProbe _probe = new();

    public TraceHoldTests() => _probe.Rules(Rules);

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData("the event comes at once", 1)]
    [InlineData("the event comes when the packets were given up already", 500)]
    public void Answers_that_are_reported_before_their_translation_is_told_are_no_flow_of_their_own(string name, int milliseconds)
    {
        _probe.Packet().Forwarded(5);
        _probe.Packet(s_masqueraded.Answer()).Forwarded(4);
        _probe.Now = _probe.Now.AddMilliseconds(milliseconds);
        Assert.True(milliseconds < 100 || _probe.Flows().Count == 2);
        _probe.Event(Masqueraded());
        Flow flow = _probe.Flow();
        Assert.True(flow is { Verdict: FlowVerdict.Accepted, IsNat: true, VerdictRule: "inet fw forward #2: tcp dport 443 accept" },
            $"{name}: {flow.VerdictRule}");
        Assert.Equal(["fw forward Rule 2 accept x1", "fw forward Rule 1 accept x1"], TraceProbe.Steps(flow));
    }

    [Fact]
    public void A_packet_that_was_dropped_long_before_its_tuple_was_used_for_answers_stays_a_flow()
    {
        _probe.Packet(s_masqueraded.Answer()).First().Policy("inet fw forward", NF_DROP);
        _ = _probe.Flow();
        _probe.Now = _probe.Now.AddMinutes(1);
        _probe.Event(Masqueraded());
        Assert.Equal(2, _probe.Flows().Count);
    }

    [Fact]
    public void Answers_that_are_read_while_the_table_is_read_for_the_first_time_wait_for_it()
    {
        _probe.Take(Conntracker.Core.Recording.MessageKind.DumpRequested, [(byte)Conntracker.Core.Recording.DumpReason.Start]);
        _probe.Packet(s_masqueraded.Answer()).Forwarded(4);
        _probe.Now = _probe.Now.AddSeconds(5);
        Assert.Empty(_probe.Flows());
        _probe.Event(Masqueraded());
        _probe.Take(Conntracker.Core.Recording.MessageKind.ConntrackDump, CollectorProbe.DumpEnd());
        Assert.Single(_probe.Flow().Trace);
    }

    [Fact]
    public void A_connection_that_is_refused_at_once_was_answered()
    {
        _probe.Event(new Conn { Id = 7 }.New());
        _probe.Packet(ct: 7).Forwarded(5);
        _probe.Packet(new PacketHeader().Answer(), ct: 7, isReply: true).Forwarded(4);
        _probe.Event(new Conn { Id = 7 }.Destroy());
        Assert.True(_probe.Flow().Confirmed);
    }

    [Theory]
    [InlineData("told by its connection", 8)]
    [InlineData("told by what it repeats of the packet", 0)]
    public void Each_error_that_a_reject_sends_belongs_to_the_flow_that_was_rejected(string name, uint ct)
    {
        PacketHeader tftp = new() { Protocol = FlowProtocol.Udp, DstPort = 69 };
        PacketHeader error = new() { Protocol = FlowProtocol.Icmp, Src = "192.0.2.1", Dst = "192.0.2.2", Type = 3, SrcPort = 0, Cause = tftp };
        for (uint attempt = 0; attempt < 3; attempt++)
        {
            // The answer has passed before the rule is reported that sends it.
            uint id = ct == 0 ? 0 : ct + attempt;
            TracedPacket packet = _probe.Packet(tftp, id).First().Tracked();
            packet.Rule("inet fw forward", 4, NFT_CONTINUE);
            _probe.Packet(error, id, isReply: true).Tracked().First("output").Last();
            packet.Rule("inet fw forward", 6, NF_DROP);
            _probe.Now = _probe.Now.AddSeconds(1);
        }

        Flow flow = _probe.Flow();
        Assert.True(flow is { Verdict: FlowVerdict.Rejected, Protocol: FlowProtocol.Udp, Confirmed: false }, name);
        Assert.Equal(0, _probe.Collector.Counters.TracesIncomplete);
    }

    [Fact]
    public void Packets_that_wait_for_their_flow_are_not_given_up_because_the_kernel_uses_their_id_again()
    {
        for (int i = 0; i < 20; i++)
        {
            new TracedPacket(_probe, new PacketHeader { Protocol = FlowProtocol.Udp, SrcPort = (ushort)(1000 + i) },
                ct: 0, isReply: false)
            { Id = 1 }.First().Rule("inet fw forward", 6, NF_DROP);
        }

        Assert.Equal(20, _probe.Flows().Count);
        Assert.Equal(0, _probe.Collector.Counters.TracesIncomplete);
    }

    [Fact]
    public void An_error_that_passes_and_shows_nothing_of_what_it_is_about_is_counted_and_is_no_flow()
    {
        _probe.Packet(new PacketHeader { Protocol = FlowProtocol.Icmp, Type = 3, SrcPort = 0 }).First().Last();
        Assert.Empty(_probe.Flows());
        Assert.Equal(1, _probe.Collector.Counters.TracesIncomplete);
    }

    [Theory]
    [InlineData("connection tracking has confirmed it", 7, true)]
    [InlineData("not confirmed", 7, false)]
    [InlineData("without connection ids", 0, true)]
    public void A_packet_that_a_bridge_drops_behind_our_last_chain_is_dropped_and_counted_once(string name, uint ct, bool isConfirmed)
    {
        _probe.Tracing.Requests.Add("everything", flow: null, FlowQuery.All, _probe.Now.UtcTicks, until: null);
        TracedPacket packet = _probe.Packet(ct: ct).First().Tracked().Rule("inet fw forward", 5).Last();
        if (isConfirmed)
        {
            _probe.Event(new Conn { Id = 7 }.New());
        }

        packet.Rule("bridge bf o", 2, NF_DROP);
        Flow flow = _probe.Flow();
        Assert.True(flow is { Verdict: FlowVerdict.Dropped, VerdictRule: "bridge bf o #1: tcp dport 443 drop" }, $"{name}: {flow.Verdict} {flow.VerdictRule}");
        Assert.Equal((1, 2), (_probe.Tracing.Requests.All[0].Packets, _probe.Tracing.Requests.All[0].Steps));

        // The next packet passes: the first one was dropped all the same.
        _probe.Packet(ct: ct).Forwarded(5);
        Assert.Equal(FlowVerdict.Dropped, _probe.Flow().Verdict);
    }

    [Fact]
    public void A_later_packet_that_a_bridge_drops_leaves_the_verdict_as_it_is()
    {
        _probe.Event(new Conn { Id = 7 }.New());
        _probe.Packet(ct: 7).Forwarded(5);
        _probe.Packet(ct: 7).Forwarded(5).Rule("bridge bf o", 2, NF_DROP);
        Assert.Equal(FlowVerdict.Accepted, _probe.Flow().Verdict);
    }

    [Fact]
    public void A_flow_that_was_open_before_its_first_trace_is_not_accepted_because_it_was_open()
    {
        _probe.Event(new Conn { Id = 7, DstPort = 25 }.New());
        _probe.Packet(new PacketHeader { DstPort = 25 }, ct: 7).First().Tracked().Rule("inet fw forward", 5, NFT_CONTINUE);
        Assert.Equal(FlowVerdict.Unknown, _probe.Flow().Verdict);
    }

    [Theory]
    [InlineData(NF_QUEUE)]
    [InlineData(NF_STOLEN)]
    public void What_was_taken_out_of_the_rules_and_never_came_back_is_not_accepted_by_a_later_packet(int verdict)
    {
        PacketHeader mail = new() { DstPort = 25 };
        TracedPacket packet = _probe.Packet(mail, ct: 7).First().Tracked().Rule("inet fw forward", 7, verdict);
        _probe.Event(new Conn { Id = 8, DstPort = 25 }.New());
        Assert.Equal(FlowVerdict.Unknown, _probe.Flow().Verdict);

        // It comes back from user space.
        packet.Last();
        Assert.Equal(FlowVerdict.Accepted, _probe.Flow().Verdict);
    }

    [Fact]
    public void Packets_that_are_given_up_because_too_many_are_on_their_way_are_counted_and_their_flows_say_so()
    {
        const int Count = 6000;
        using TraceProbe probe = new(2 * Count);
        probe.Rules(Rules);
        for (int i = 0; i < Count; i++)
        {
            new TracedPacket(probe, new PacketHeader { SrcPort = (ushort)(1000 + i) }, ct: (uint)i + 1, isReply: false) { Id = (uint)i * 2654435761 }
                .First().Tracked().Rule("inet fw forward", 4, NFT_CONTINUE);
            probe.Now = probe.Now.AddMilliseconds(-1.99);
        }

        long given = probe.Collector.Counters.TracesIncomplete;
        Assert.InRange(given, Count - 4096, Count - 3000);
        Assert.Equal(given, CollectorProbe.FlowsOf(probe.Collector).Where(each => each.TraceIncomplete).Sum(each => each.Connections));
    }

    [Theory]
    [InlineData("made by the user", "", "", FlowVerdict.Dropped)]
    [InlineData("the kernel says that its maker lives", "flags owner", "", FlowVerdict.Accepted)]
    [InlineData("made where the kernel knows no owner", "", " comment \"conntracker process 7 of 9\"", FlowVerdict.Accepted)]
    public void A_table_that_is_named_as_ours_is_ours_only_when_Conntracker_has_made_it(string name, string flags, string comment, FlowVerdict verdict)
    {
        _probe.Rules($$"""
            table inet conntracker_9 { # handle 3
            	{{flags}}
            	chain tracking { # handle 1
            		ct state new{{comment}} # handle 2
            	}
            	chain forward { # handle 4
            		type filter hook forward priority filter; policy accept;
            		tcp dport 443 drop # handle 5
            	}
            }
            """);
        TracedPacket packet = _probe.Packet(ct: 7).First().Tracked();
        packet.Rule("inet conntracker_9 forward", 5, NF_DROP);
        packet.Last();
        Assert.True(_probe.Flow().Verdict == verdict, $"{name}: {_probe.Flow().Verdict}");
    }

    // O = 192.0.2.2:40000 > 198.51.100.2:443, R = 198.51.100.2:443 > 203.0.113.1:50000.
    private static byte[] Masqueraded() => new Conn
    {
        Id = 1,
        ReplyDst = "203.0.113.1",
        ReplyDstPort = 50000,
        Status = ConntrackConstants.IPS_CONFIRMED | ConntrackConstants.IPS_SRC_NAT,
    }.New();
}
