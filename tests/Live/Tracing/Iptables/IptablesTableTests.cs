using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Each table of iptables-legacy shows in each of its chains, on every way through the host.</summary>
public sealed class IptablesTableTests
{
    private const string Forwarded = "forwarded";
    private const string Incoming = "incoming";
    private const string Outgoing = "outgoing";

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void All_tables_are_passed_in_the_kernels_order_whatever_way_a_packet_takes(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, string.Join('\n', AllTables.Select(table => Table(family, table))), TraceMode.Flows, Udp);

        Speak(network, family, Forwarded, 40000);
        network.Expect(40000, """
            Accepted: security FORWARD policy ACCEPT
            2 raw PREROUTING Policy 2 accept
            2 mangle PREROUTING Policy 2 accept
            1 nat PREROUTING Policy 2 accept
            2 mangle FORWARD Policy 2 accept
            2 filter FORWARD Policy 2 accept
            2 security FORWARD Policy 2 accept
            2 mangle POSTROUTING Policy 2 accept
            1 nat POSTROUTING Policy 2 accept
            """);

        Speak(network, family, Incoming, 40001);
        network.Expect(40001, """
            Accepted: security INPUT policy ACCEPT
            1 raw PREROUTING Policy 2 accept
            1 mangle PREROUTING Policy 2 accept
            1 nat PREROUTING Policy 2 accept
            1 mangle INPUT Policy 2 accept
            1 filter INPUT Policy 2 accept
            1 security INPUT Policy 2 accept
            1 nat INPUT Policy 2 accept
            1 raw OUTPUT Policy 2 accept
            1 mangle OUTPUT Policy 2 accept
            1 filter OUTPUT Policy 2 accept
            1 security OUTPUT Policy 2 accept
            1 mangle POSTROUTING Policy 2 accept
            """);

        Speak(network, family, Outgoing, 40002);
        network.Expect(40002, """
            Accepted: security OUTPUT policy ACCEPT
            1 raw OUTPUT Policy 2 accept
            1 mangle OUTPUT Policy 2 accept
            1 nat OUTPUT Policy 2 accept
            1 filter OUTPUT Policy 2 accept
            1 security OUTPUT Policy 2 accept
            1 mangle POSTROUTING Policy 2 accept
            1 nat POSTROUTING Policy 2 accept
            1 raw PREROUTING Policy 2 accept
            1 mangle PREROUTING Policy 2 accept
            1 mangle INPUT Policy 2 accept
            1 filter INPUT Policy 2 accept
            1 security INPUT Policy 2 accept
            """);
        Assert.Equal(
            [FlowDirection.Forward, FlowDirection.In, FlowDirection.Out],
            ((int[])[40000, 40001, 40002]).Select(port => network.Live.Flows.Single(flow => flow.SrcPort == port).Direction));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_stays_on_the_host_shows_its_way_out_and_in_again(FlowFamily family)
    {
        using TestNamespace host = new();
        Iptables.Load(host, family, """
            *mangle
            COMMIT
            *filter
            -A INPUT -p udp -m udp --dport 7000 -j ACCEPT
            -A INPUT -p udp -m udp --dport 7001 -j DROP
            -A OUTPUT -p udp -m udp --dport 7002 -j DROP
            COMMIT
            """);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Trace = TraceMode.Flows, Protocols = [Udp] });
        IPAddress loopback = family == FlowFamily.IPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using EchoServer? echo = EchoServer.Start(host, Udp, loopback, 7000);

        TestClient.Exchange(host, Udp, new IPEndPoint(loopback, 40000), new IPEndPoint(loopback, 7000));
        TraceText.Expect(live, 40000, """
            Accepted: filter INPUT #1: -p udp -m udp --dport 7000 -j ACCEPT
            2 mangle OUTPUT Policy 1 accept
            2 filter OUTPUT Policy 2 accept
            2 mangle POSTROUTING Policy 1 accept
            2 mangle PREROUTING Policy 1 accept
            2 mangle INPUT Policy 1 accept
            1 filter INPUT Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 filter INPUT Policy 3 accept
            """);

        TestClient.Send(host, Udp, new IPEndPoint(loopback, 40001), new IPEndPoint(loopback, 7001));
        TraceText.Expect(live, 40001, """
            Dropped: filter INPUT #2: -p udp -m udp --dport 7001 -j DROP
            1 mangle OUTPUT Policy 1 accept
            1 filter OUTPUT Policy 2 accept
            1 mangle POSTROUTING Policy 1 accept
            1 mangle PREROUTING Policy 1 accept
            1 mangle INPUT Policy 1 accept
            1 filter INPUT Rule 2 drop: -p udp -m udp --dport 7001 -j DROP
            """);

        TestClient.Send(host, Udp, new IPEndPoint(loopback, 40002), new IPEndPoint(loopback, 7002));
        TraceText.Expect(live, 40002, """
            Dropped: filter OUTPUT #1: -p udp -m udp --dport 7002 -j DROP
            1 mangle OUTPUT Policy 1 accept
            1 filter OUTPUT Rule 1 drop: -p udp -m udp --dport 7002 -j DROP
            """);
        Assert.All(live.Flows, flow => Assert.Equal(FlowDirection.Local, flow.Direction));
    }

    // Policies change while the trace goes on. The table nat has none that drops.
    [Theory]
    [InlineData(FlowFamily.IPv4, "raw")]
    [InlineData(FlowFamily.IPv6, "raw")]
    [InlineData(FlowFamily.IPv4, "mangle")]
    [InlineData(FlowFamily.IPv6, "mangle")]
    [InlineData(FlowFamily.IPv4, "filter")]
    [InlineData(FlowFamily.IPv6, "filter")]
    [InlineData(FlowFamily.IPv4, "security")]
    [InlineData(FlowFamily.IPv6, "security")]
    public void The_policy_of_each_chain_that_drops_is_the_verdict_where_no_rule_decides(FlowFamily family, string table)
    {
        using TracedNetwork network = Iptables.Trace(family, Table(family, table), TraceMode.Flows, Udp);
        int port = 40000;
        foreach ((string chain, string way, string[] before) in (IEnumerable<(string, string, string[])>)(table switch
        {
            "raw" => [("PREROUTING", Forwarded, []), ("OUTPUT", Outgoing, [])],
            "mangle" =>
            [
                ("PREROUTING", Forwarded, []),
                ("INPUT", Incoming, ["PREROUTING"]),
                ("FORWARD", Forwarded, ["PREROUTING"]),
                ("OUTPUT", Outgoing, []),
                ("POSTROUTING", Forwarded, ["PREROUTING", "FORWARD"]),
            ],
            _ => [("INPUT", Incoming, []), ("FORWARD", Forwarded, []), ("OUTPUT", Outgoing, [])],
        }))
        {
            Iptables.Run(network.Firewall, family, $"-t {table} -P {chain} DROP");
            Speak(network, family, way, ++port, isAnswered: false);
            network.Expect(port, string.Join('\n',
                [$"Dropped: {table} {chain} policy DROP", .. before.Select(each => $"1 {table} {each} Policy 2 accept"), $"1 {table} {chain} Policy 2 drop"]));
            Iptables.Run(network.Firewall, family, $"-t {table} -P {chain} ACCEPT");
        }

        Speak(network, family, Forwarded, 40000);
        network.Expect(40000, table switch
        {
            "raw" => """
                Accepted: raw PREROUTING policy ACCEPT
                2 raw PREROUTING Policy 2 accept
                """,
            "mangle" => """
                Accepted: mangle FORWARD policy ACCEPT
                2 mangle PREROUTING Policy 2 accept
                2 mangle FORWARD Policy 2 accept
                2 mangle POSTROUTING Policy 2 accept
                """,
            _ => $"""
                Accepted: {table} FORWARD policy ACCEPT
                2 {table} FORWARD Policy 2 accept
                """,
        });
    }

    private static readonly string[] AllTables = ["raw", "mangle", "nat", "filter", "security"];

    // Policies that drop must not keep the hosts from finding each other.
    private static string Table(FlowFamily family, string table)
    {
        string[] chains = table switch
        {
            "raw" => ["PREROUTING", "OUTPUT"],
            "mangle" => ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
            "nat" => ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
            _ => ["INPUT", "FORWARD", "OUTPUT"],
        };
        return $"*{table}\n{string.Join('\n', chains.Select(chain => $"-A {chain} -p {Iptables.IcmpName(family)} -j ACCEPT"))}\nCOMMIT";
    }

    private static void Speak(TracedNetwork network, FlowFamily family, string way, int port, bool isAnswered = true)
    {
        (TestNamespace from, IPEndPoint source, TestNamespace to, IPEndPoint target) = way switch
        {
            Incoming => (network.Client, TracedNetwork.ClientAt(family, port), network.Firewall, TracedNetwork.FirewallAt(family, 7000)),
            Outgoing => (network.Firewall, new IPEndPoint(TestNetwork.ServerSide.Firewall(family), port), network.Server, TracedNetwork.ServerAt(family, 7000)),
            _ => (network.Client, TracedNetwork.ClientAt(family, port), network.Server, TracedNetwork.ServerAt(family, 7000)),
        };
        if (isAnswered)
        {
            using EchoServer? echo = EchoServer.Start(to, Udp, target.Address, target.Port);
            TestClient.Exchange(from, Udp, source, target);
        }
        else
        {
            TestClient.Send(from, Udp, source, target);
        }
    }
}
