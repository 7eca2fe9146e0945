using System.Net;
using Conntracker.Core.KernelSettings;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>
/// The legacy rules and the namespace's logger are the user's: the same afterwards, however a trace ends and whoever else logs.
/// </summary>
public sealed class IptablesUntouchedTests
{
    private const string Nflog = "nfnetlink_log nfnetlink_log";

    private const string Tables = """
        *raw
        -A PREROUTING -p udp -m udp --dport 7005 -j CT --notrack
        COMMIT
        *nat
        -A POSTROUTING -o outside -j MASQUERADE
        COMMIT
        *filter
        :FORWARD DROP
        :SERVICES -
        -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
        -A FORWARD -p udp -m comment --comment "of the users" -j SERVICES
        -A SERVICES -p udp -m udp --dport 7000 -j ACCEPT
        COMMIT
        """;

    private const string Beside = """
        table inet users {
          chain forward { type filter hook forward priority filter - 10; policy accept; udp dport 7000 counter accept comment "seven"; }
        }
        """;

    [Theory]
    [InlineData(TraceMode.Flows)]
    [InlineData(TraceMode.Everything)]
    public void The_rules_of_both_engines_and_the_logger_are_the_same_before_during_and_after(TraceMode mode)
    {
        using TestNetwork network = new();
        Load(network.Firewall);
        string rules = Save(network.Firewall);
        string loggers = Iptables.Loggers(network.Firewall);
        Assert.Equal("nf_log_ipv4 nf_log_ipv6", loggers);

        using (LiveCapture live = Trace(network.Firewall, mode))
        {
            Speak(network, live, 40000);
            Assert.Equal(rules, Save(network.Firewall));
            Assert.Equal(Nflog, Iptables.Loggers(network.Firewall));
            live.Stop();
        }

        Assert.Equal(rules, Save(network.Firewall));
        Assert.Equal(loggers, Iptables.Loggers(network.Firewall));
        Assert.False(File.Exists(network.Firewall.StateFile(PacketLoggerLease.Purpose)));
    }

    [Fact]
    public void After_kill_minus_9_the_rules_are_the_same_and_the_next_start_puts_the_logger_back()
    {
        using TestNetwork network = new();
        Load(network.Firewall);
        network.Firewall.WriteSetting("netfilter/nf_log/10", "NONE");
        string rules = Save(network.Firewall);
        using CommandLine program = new();
        Tool tracing = StartTracing(program, network.Firewall);
        Exchange(network, 40000);
        AssertLogged(program, tracing);
        Assert.Equal(Nflog, Iptables.Loggers(network.Firewall));
        tracing.End("KILL");
        Eventually.Equal(() => rules, () => Save(network.Firewall));

        using LiveCapture next = LiveCapture.Start(network.Firewall);
        Assert.Equal("nf_log_ipv4 NONE", Iptables.Loggers(network.Firewall));
        Assert.Contains(next.Capture.Notices, notice => notice.Contains("the logger of traced packets changed", StringComparison.Ordinal));
        Assert.Equal(rules, Save(network.Firewall));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_captures_of_one_process_see_the_same_and_the_last_one_puts_the_logger_back(bool firstEndsFirst)
    {
        using TestNetwork network = new();
        Load(network.Firewall);
        string loggers = Iptables.Loggers(network.Firewall);
        using LiveCapture first = Trace(network.Firewall, TraceMode.Flows);
        using LiveCapture second = Trace(network.Firewall, TraceMode.Everything);
        Speak(network, first, 40000);
        TraceText.ExpectInAnyOrder(second, 40000, Expected);

        (LiveCapture ends, LiveCapture stays) = firstEndsFirst ? (first, second) : (second, first);
        ends.Stop();
        Assert.Equal(Nflog, Iptables.Loggers(network.Firewall));
        Speak(network, stays, 40001);
        Assert.DoesNotContain(ends.Flows, flow => flow.SrcPort == 40001);

        stays.Stop();
        Assert.Equal(loggers, Iptables.Loggers(network.Firewall));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void While_another_process_traces_a_capture_says_so_and_has_all_steps_of_nftables(bool otherEndsFirst)
    {
        using TestNetwork network = new();
        Load(network.Firewall);
        string loggers = Iptables.Loggers(network.Firewall);
        using CommandLine program = new();
        Tool other = StartTracing(program, network.Firewall);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Flows, Protocols = [Udp] });
        string notice = Assert.Single(live.Notices);
        Assert.Contains("NFLOG group 0", notice, StringComparison.Ordinal);
        Assert.Contains($"{other.Id}", notice, StringComparison.Ordinal);
        Assert.Contains("Rules of iptables-legacy are not traced", notice, StringComparison.Ordinal);

        Exchange(network, 40000);
        TraceText.Expect(live, 40000, """
            Accepted: inet users forward #1: udp dport 7000 counter accept comment "seven"
            1 inet users forward Rule 1 accept: udp dport 7000 counter accept # seven
            1 inet users forward Policy 2 accept
            """);
        AssertLogged(program, other);
        Assert.Equal(Nflog, Iptables.Loggers(network.Firewall));

        if (otherEndsFirst)
        {
            other.End("TERM");
            Assert.Equal(loggers, Iptables.Loggers(network.Firewall));
            live.Stop();
        }
        else
        {
            live.Stop();
            Assert.Equal(Nflog, Iptables.Loggers(network.Firewall));
            other.End("TERM");
        }

        Assert.Equal(loggers, Iptables.Loggers(network.Firewall));
        Assert.Equal(0, live.Capture.GetCounters().IptablesTraces);
    }

    private const string Expected = """
        Accepted: filter SERVICES #1: -p udp -m udp --dport 7000 -j ACCEPT
        2 raw PREROUTING Policy 2 accept
        1 nat PREROUTING Policy 1 accept
        1 inet users forward Rule 1 accept: udp dport 7000 counter accept # seven
        1 inet users forward Policy 2 accept
        1 filter FORWARD Rule 2 jump SERVICES: -p udp -m comment --comment "of the users" -j SERVICES # of the users
        1 filter SERVICES Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
        1 filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
        1 nat POSTROUTING Rule 1 accept: -o outside -j MASQUERADE
        """;

    private static void Load(TestNamespace firewall)
    {
        firewall.LoadRules(Beside);
        Iptables.Load(firewall, FlowFamily.IPv4, Tables);
        Iptables.Load(firewall, FlowFamily.IPv6, Tables);
    }

    // Counters count while packets pass; all else is as it was.
    private static string Save(TestNamespace firewall) =>
        Iptables.Save(firewall) + UserRules.WithoutOwn(firewall.Run("nft", "--stateless", "-a", "list", "ruleset"));

    private static LiveCapture Trace(TestNamespace firewall, TraceMode mode)
    {
        LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = firewall.Name, Trace = mode, Protocols = [Udp] });
        Assert.Empty(live.Notices);
        return live;
    }

    private static Tool StartTracing(CommandLine program, TestNamespace firewall)
    {
        Tool tracing = program.Start(firewall, "-t");
        Eventually.True("the rules that trace", () =>
            firewall.Run("nft", "list", "table", "inet", "conntracker").Contains("chain prerouting", StringComparison.Ordinal));
        Eventually.Equal(() => Nflog, () => Iptables.Loggers(firewall));
        return tracing;
    }

    private static void AssertLogged(CommandLine program, Tool tracing) =>
        Eventually.True("the step in the log", () =>
            program.WriteLog(tracing).Contains("table: filter, chain: SERVICES, type: rule, position: 1", StringComparison.Ordinal));

    private static void Exchange(TestNetwork network, int from)
    {
        IPEndPoint server = TracedNetwork.ServerAt(FlowFamily.IPv4, 7000);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, server.Address, server.Port);
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, from), server);
    }

    private static void Speak(TestNetwork network, LiveCapture live, int from)
    {
        Exchange(network, from);
        TraceText.ExpectInAnyOrder(live, from, Expected);
    }
}
