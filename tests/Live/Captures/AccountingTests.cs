using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class AccountingTests
{
    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    [Fact]
    public void Packets_and_bytes_are_those_that_conntrack_lists()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);
        using EchoServer? tcp = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        using EchoServer? udp = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);

        using Socket open = TestClient.Open(host, FlowProtocol.Tcp, s_client, s_server);
        TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server, size: 1000);
        for (int round = 1; round <= 3; round++)
        {
            TestClient.Echo(open, 100_000);
            Eventually.Equal(() => ConntrackEntry.List(host, counters: true), () => ConntrackEntry.ListOpen(live.Capture, counters: true));
        }

        Flow datagrams = live.Flows.Single(flow => flow.Protocol == FlowProtocol.Udp);
        const ulong Whole = 20 + 8 + 1000;
        Assert.Equal((1ul, Whole, 1ul, Whole), (datagrams.Packets, datagrams.Bytes, datagrams.ReplyPackets, datagrams.ReplyBytes));
        Assert.True(live.Flows.Single(flow => flow.Protocol == FlowProtocol.Tcp).Bytes > 300_000);
    }

    [Fact]
    public void Counters_outlive_the_connection_and_add_up_over_a_flows_connections()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);
        using EchoServer? udp = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        for (int connections = 1; connections <= 3; connections++)
        {
            DateTimeOffset started = DateTimeOffset.UtcNow;
            TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server, size: 100);
            host.Run("conntrack", "-D", "-p", "udp");
            Eventually.Equal(
                () => (connections, FlowState.Closed, (ulong)connections, (ulong)connections * 128),
                () => live.Flows.Select(flow => ((int)flow.Connections, flow.State, flow.Packets ?? 0, flow.ReplyBytes ?? 0)).SingleOrDefault());
            if (connections == 1)
            {
                Assert.InRange(live.Flows.Single().FirstSeen!.Value, started.AddSeconds(-1), DateTimeOffset.UtcNow);
            }
        }
    }

    [Fact]
    public void What_was_open_when_the_capture_ends_has_its_last_counters()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);
        using EchoServer? udp = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Socket open = TestClient.Open(host, FlowProtocol.Udp, s_client, s_server);
        Eventually.Equal(() => ConntrackEntry.List(host, counters: true), () => ConntrackEntry.ListOpen(live.Capture, counters: true));

        // Of these the kernel tells nothing by itself.
        for (int packets = 0; packets < 10; packets++)
        {
            TestClient.Echo(open, 1000);
        }

        string listed = ConntrackEntry.List(host, counters: true);
        live.Stop();

        Assert.Equal(listed, ConntrackEntry.ListOpen(live.Capture, counters: true));
    }

    [Fact]
    public void Without_accounting_there_are_no_counters_and_the_settings_are_not_touched()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);

        TestClient.Exchange(host, FlowProtocol.Icmp, s_client, s_server);

        Eventually.Equal(() => 1, () => live.Flows.Count);
        Assert.Equal((null, null, null, null), Counters(live.Flows.Single()));
        Assert.Equal("00", Settings(host));
        Assert.False(File.Exists(host.AccountingFile));
    }

    [Theory]
    [InlineData("0", "0")]
    [InlineData("0", "1")]
    [InlineData("1", "0")]
    [InlineData("1", "1")]
    public void The_settings_are_put_back_as_they_were_when_the_last_of_two_captures_ends(string counters, string times)
    {
        using TestNamespace host = new();
        host.WriteSetting("netfilter/nf_conntrack_acct", counters);
        host.WriteSetting("netfilter/nf_conntrack_timestamp", times);

        using LiveCapture first = Start(host);
        using LiveCapture second = Start(host);
        Assert.Equal("11", Settings(host));

        first.Stop();
        Assert.Equal("11", Settings(host));
        second.Stop();
        Assert.Equal(counters + times, Settings(host));
        Assert.False(File.Exists(host.AccountingFile));
    }

    [Fact]
    public void What_a_killed_process_left_switched_on_is_put_back_at_the_next_start()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool killed = program.Start(host, "--accounting");
        Assert.Equal("11", Settings(host));
        killed.End("KILL");
        Assert.True(File.Exists(host.AccountingFile));

        using LiveCapture live = LiveCapture.Start(host);

        Assert.Equal("00", Settings(host));
        Assert.False(File.Exists(host.AccountingFile));
        Assert.Contains(live.Capture.Notices, notice => notice.Contains("killed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_capture_that_needs_accounting_keeps_it_when_another_process_with_accounting_is_killed()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool killed = program.Start(host, "--accounting");
        using LiveCapture live = Start(host);
        killed.End("KILL");

        using (LiveCapture other = LiveCapture.Start(host))
        {
            Assert.Equal("11", Settings(host));
        }

        live.Stop();
        Assert.Equal("00", Settings(host));
        Assert.False(File.Exists(host.AccountingFile));
    }

    [Fact]
    public void A_capture_goes_on_counting_when_one_that_does_not_share_its_run_directory_ends()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool container = host.Start(
            "unshare", "--mount", "sh", "-c",
            $"mkdir -p /run/conntracker && mount -t tmpfs none /run/conntracker && exec {CommandLine.Program} --accounting -o -");
        Eventually.Equal(() => "11", () => Settings(host));
        using LiveCapture live = Start(host);
        container.End("INT");
        Assert.Equal("11", Settings(host));
        Assert.DoesNotContain(live.Notices, notice => notice.Contains("changed a setting", StringComparison.Ordinal));
        live.Stop();
        Assert.Equal("00", Settings(host));
    }

    [Fact]
    public void A_capture_says_so_when_somebody_switches_its_accounting_off()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);
        host.WriteSetting("netfilter/nf_conntrack_acct", "0");
        Eventually.True("a notice", () =>
            live.Notices.Any(notice => notice.Contains("net.netfilter.nf_conntrack_acct is 0, and was set to 1", StringComparison.Ordinal)));
        live.Stop();
        Assert.Equal("00", Settings(host));
    }

    private static LiveCapture Start(TestNamespace host) => LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Accounting = true });

    private static (ulong?, ulong?, ulong?, ulong?) Counters(Flow flow) => (flow.Packets, flow.Bytes, flow.ReplyPackets, flow.ReplyBytes);

    private static string Settings(TestNamespace host) =>
        host.ReadSetting("netfilter/nf_conntrack_acct") + host.ReadSetting("netfilter/nf_conntrack_timestamp");
}
