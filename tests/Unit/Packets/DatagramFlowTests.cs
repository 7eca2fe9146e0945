using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What has no connections of its own: an answer confirms it, silence ends it.</summary>
public class DatagramFlowTests
{
    [Theory]
    [InlineData("a question", "a", "New 1x 1/0 False")]
    [InlineData("an answer", "a b", "Replied 1x 1/1 True")]
    [InlineData("many within two seconds", "a b a b +1 a b", "Replied 1x 3/3 True")]
    [InlineData("goes on after two seconds", "a b +2.1 a", "Assured 1x 2/1 True")]
    [InlineData("goes on after two seconds, by the other side", "a b +2.1 b", "Assured 1x 1/2 True")]
    [InlineData("not answered for long", "a +5 a +5 a", "New 1x 3/0 False")]
    [InlineData("a late answer alone is no stream", "a +5 b", "Replied 1x 1/1 True")]
    [InlineData("idle for 30 seconds", "a b +31 |", "Closed 1x 1/1 True")]
    [InlineData("not yet idle", "a b +29 |", "Replied 1x 1/1 True")]
    [InlineData("a stream idle for 119 seconds", "a b +3 a +119 |", "Assured 1x 2/1 True")]
    [InlineData("a stream idle for 121 seconds", "a b +3 a +121 |", "Closed 1x 2/1 True")]
    [InlineData("again after it was closed", "a b +31 | a", "New 2x 2/1 True")]
    [InlineData("again after silence that nobody has noticed", "a b +31 a", "New 2x 2/1 True")]
    [InlineData("answered again after it was closed", "a b +31 | a b", "Replied 2x 2/2 True")]
    [InlineData("handed over late, after it was closed", "a b +31 | -2 a b", "Replied 2x 2/2 True")]
    public void A_flow_of_UDP_is_confirmed_by_an_answer_and_closed_by_silence(string what, string script, string expected)
    {
        foreach (FlowProtocol protocol in (FlowProtocol[])[FlowProtocol.Udp, FlowProtocol.UdpLite])
        {
            using PacketProbe probe = new();
            probe.Play(protocol, script);
            Assert.True(expected == Tell(probe.Flow()), $"{protocol}, {what}: {Tell(probe.Flow())}, not {expected}");
        }
    }

    [Theory]
    [InlineData("a question", "a:8", "New 1x 1/0 False")]
    [InlineData("an answer", "a:8 b:0", "Replied 1x 1/1 True")]
    [InlineData("goes on for long", "a:8 b:0 +20 a:8 b:0 +20 a:8 b:0", "Replied 1x 3/3 True")]
    [InlineData("idle for 30 seconds", "a:8 b:0 +31 |", "Closed 1x 1/1 True")]
    [InlineData("an answer whose question was not seen", "b:0", "New 1x 0/1 False")]
    public void A_ping_is_one_flow_of_both_directions(string what, string script, string expected)
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Icmp, script);
        Flow flow = probe.Flow();
        Assert.True(expected == Tell(flow), $"{what}: {Tell(flow)}, not {expected}");
        Assert.Equal("Icmp 192.0.2.2 -> 198.51.100.2 8.0 id 40000", $"{flow} {flow.IcmpType}.{flow.IcmpCode} id {flow.IcmpId}");

        using PacketProbe six = new();
        new Conversation(FlowProtocol.IcmpV6) { A = "2001:db8::1", B = "2001:db8::2" }.Play(six, script.Replace(":8", ":128").Replace(":0", ":129"));
        flow = six.Flow();
        Assert.True(expected == Tell(flow), $"{what}, IPv6: {Tell(flow)}, not {expected}");
        Assert.Equal("IcmpV6 2001:db8::1 -> 2001:db8::2 128.0 id 40000", $"{flow} {flow.IcmpType}.{flow.IcmpCode} id {flow.IcmpId}");
    }

    [Theory]
    [InlineData(13, 14)]
    [InlineData(15, 16)]
    [InlineData(17, 18)]
    public void Other_queries_are_flows_of_both_directions_too(int question, int answer)
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Icmp, $"b:{answer} a:{question}");
        Assert.Equal($"Icmp 192.0.2.2 -> 198.51.100.2 {question}", $"{probe.Flow()} {probe.Flow().IcmpType}");
        Assert.True(probe.Flow().Confirmed);
    }

    [Fact]
    public void Pings_with_different_ids_are_different_flows()
    {
        using PacketProbe probe = new();
        foreach (int id in (int[])[1, 2, 3])
        {
            new Conversation(FlowProtocol.Icmp) { APort = id }.Play(probe, "a:8 b:0 a:8");
        }

        Assert.Equal([1, 2, 3], probe.Flows().Select(each => (int)each.IcmpId!).Order());
    }

    [Fact]
    public void Messages_that_ask_nothing_are_one_flow_whatever_stands_in_the_place_of_an_id()
    {
        // Router advertisements (their hop limit and flags stand there) and neighbour advertisements.
        using PacketProbe probe = new();
        for (int i = 0; i < 100; i++)
        {
            probe.Put(Packet.IPv6(FlowProtocol.IcmpV6, Packet.Icmp(134, 0, 0x4000 + i), "fe80::1", "ff02::1"));
            probe.Put(Packet.IPv6(FlowProtocol.IcmpV6, Packet.Icmp(136, 0, 0x2000 + i), "fe80::1", "fe80::2"));
            probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(9, 0, i), "192.0.2.1", "224.0.0.1"));
        }

        Assert.Equal([100ul, 100, 100], probe.Flows().Select(each => each.Packets!.Value));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(11, 0)]
    public void An_error_neither_counts_for_the_flow_it_is_about_nor_answers_it(int type, int code)
    {
        using PacketProbe probe = new();
        byte[] question = new Conversation(FlowProtocol.Udp).Build("a");
        probe.Put(question);
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(type, code, rest: question), "203.0.113.9", "192.0.2.2"));
        Assert.Equal("New 1x 1/0 False", Tell(probe.Flow()));
        Assert.Equal((2L, 0L, 0L), (probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
    }

    [Fact]
    public void An_error_about_an_unknown_flow_makes_none_and_is_counted_as_skipped()
    {
        using PacketProbe probe = new();
        byte[] question = new Conversation(FlowProtocol.Udp).Build("a");
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1, rest: question), "203.0.113.9", "192.0.2.2"));
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1), "203.0.113.9", "192.0.2.2"));
        Assert.Empty(probe.Flows());
        Assert.Equal((2L, 2L, 0L), (probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
    }

    [Theory]
    [InlineData(FlowProtocol.Gre, "a b", "Replied 1x 1/1 True")]
    [InlineData(FlowProtocol.Gre, "a b a", "Assured 1x 2/1 True")]
    [InlineData(FlowProtocol.Gre, "a b a +179 |", "Assured 1x 2/1 True")]
    [InlineData(FlowProtocol.Gre, "a b a +181 |", "Closed 1x 2/1 True")]
    [InlineData(FlowProtocol.Gre, "a +31 |", "Closed 1x 1/0 False")]
    [InlineData(FlowProtocol.Esp, "a b a b", "Replied 1x 2/2 True")]
    [InlineData(FlowProtocol.Esp, "a b +599 |", "Replied 1x 1/1 True")]
    [InlineData(FlowProtocol.Esp, "a b +601 |", "Closed 1x 1/1 True")]
    [InlineData(FlowProtocol.Ospf, "a", "New 1x 1/0 False")]
    public void Tunnels_and_protocols_without_ports_are_flows_between_two_addresses(FlowProtocol protocol, string script, string expected)
    {
        using PacketProbe probe = new();
        probe.Play(protocol, script);
        Assert.Equal(expected, Tell(probe.Flow()));
        Assert.Null(probe.Flow().SrcPort);
    }

    [Fact]
    public void Time_that_goes_back_closes_nothing_and_the_flow_began_with_its_earliest_packet()
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Udp, "a b -3600 a b +3600 a |");
        Flow flow = probe.Flow();
        Assert.Equal("Assured 1x 3/2 True", Tell(flow));
        Assert.Equal(CollectorProbe.Start.AddSeconds(0.002).AddHours(-1), flow.FirstSeen);
        Assert.Equal(CollectorProbe.Start.AddSeconds(0.004), flow.LastSeen);
    }

    [Fact]
    public void Only_what_was_idle_for_longer_than_its_timeout_before_the_last_packet_is_closed()
    {
        using PacketProbe probe = new();
        new Conversation(FlowProtocol.Udp) { APort = 1001 }.Play(probe, "a");
        new Conversation(FlowProtocol.Tcp) { APort = 1002 }.Play(probe, "a:S b:SA a:A +20");
        new Conversation(FlowProtocol.Udp) { APort = 1003 }.Play(probe, "a +20");
        new Conversation(FlowProtocol.Icmp) { APort = 1004 }.Play(probe, "a:8 |");
        Assert.Equal(
            ["Closed 1001", "Assured 1002", "New 1003", "New 1004"],
            probe.Flows().OrderBy(each => each.FirstSeen).Select(each => $"{each.State} {each.SrcPort ?? each.IcmpId}"));
    }

    private static string Tell(Flow flow) => $"{flow.State} {flow.Connections}x {flow.Packets}/{flow.ReplyPackets} {flow.Confirmed}";
}
