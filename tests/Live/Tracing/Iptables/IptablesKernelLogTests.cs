using Conntracker.Core.Tracing.Iptables;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Where another program holds NFLOG group 0, the kernel's log tells the same steps and verdicts.</summary>
public sealed class IptablesKernelLogTests
{
    private const string AllNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns";

    [Theory]
    [InlineData(FlowFamily.IPv4, "192.0.2.1/32", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "2001:db8:1::1/128", "[2001:db8:2::2]:7000")]
    public void The_steps_come_through_the_kernels_log_and_the_logger_is_put_back(FlowFamily family, string front, string server)
    {
        using TestNetwork network = new();
        Iptables.Load(network.Firewall, family, $"""
            *nat
            -A PREROUTING -d {front} -p udp -j DNAT --to-destination {server}
            COMMIT
            *filter
            :FORWARD DROP
            :SERVICES -
            -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
            -A FORWARD -p udp -j SERVICES
            -A SERVICES -p udp -m udp --dport 7001 -j DROP
            -A SERVICES -p udp -m udp --dport 7000 -j ACCEPT
            COMMIT
            """);

        // ulogd, say. The namespace had no logger of one family.
        using NflogSource holder = network.Firewall.Do(() => new NflogSource());
        network.Firewall.WriteSetting("netfilter/nf_log/10", "NONE");
        string before = File.ReadAllText(AllNamespaces).Trim();
        try
        {
            // The log of another namespace than the first one; the setting is one for all, and put back.
            File.WriteAllText(AllNamespaces, "1");
            using LiveCapture live = LiveCapture.Start(
                new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Flows, Protocols = [Udp] });
            string notice = Assert.Single(live.Notices);
            Assert.Contains("NFLOG group 0", notice, StringComparison.Ordinal);
            Assert.Contains("/dev/kmsg", notice, StringComparison.Ordinal);
            Assert.Equal("nf_log_ipv4 nf_log_ipv6", Iptables.Loggers(network.Firewall));

            using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
            TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 6000));
            TraceText.Expect(live, 40000, $"""
                Accepted: filter SERVICES #2: -p udp -m udp --dport 7000 -j ACCEPT
                1 nat PREROUTING Rule 1 accept: -d {front} -p udp -j DNAT --to-destination {server}
                1 filter FORWARD Rule 2 jump SERVICES: -p udp -j SERVICES
                1 filter SERVICES Rule 2 accept: -p udp -m udp --dport 7000 -j ACCEPT
                1 nat POSTROUTING Policy 1 accept
                1 filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
                """);

            TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.ServerAt(family, 7001));
            TraceText.Expect(live, 40001, """
                Dropped: filter SERVICES #1: -p udp -m udp --dport 7001 -j DROP
                1 nat PREROUTING Policy 2 accept
                1 filter FORWARD Rule 2 jump SERVICES: -p udp -j SERVICES
                1 filter SERVICES Rule 1 drop: -p udp -m udp --dport 7001 -j DROP
                """);
            live.Stop();
            Assert.Equal("nf_log_ipv4 NONE", Iptables.Loggers(network.Firewall));
        }
        finally
        {
            File.WriteAllText(AllNamespaces, before);
        }
    }
}
