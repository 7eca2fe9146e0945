using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A large transfer is traced with its first packets and a few a second, and takes nothing from other flows.</summary>
public sealed class FlowLimitTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Packets_of_a_flow_are_traced_at_a_limited_rate_and_each_flow_has_its_own(FlowFamily family)
    {
        const int Sent = 5000;
        using TracedNetwork network = new("""
            table inet fw {
              chain forward { type filter hook forward priority filter; policy drop; udp dport 7000 counter accept; }
            }
            """);
        network.Client.Do(() =>
        {
            using Socket socket = Sockets.Open(Udp, TracedNetwork.ClientAt(family, 40000));
            for (int i = 0; i < Sent; i++)
            {
                socket.SendTo(new byte[8], TracedNetwork.ServerAt(family, 7000));
            }
        });
        network.Send(Udp, family, 40001, 7000);

        Eventually.True("both flows", () => Packets(network, 40000) >= 100 && Packets(network, 40001) == 1);
        Assert.InRange(Packets(network, 40000), 100, Sent / 5);
        Assert.All(network.Live.Flows.Where(flow => flow.SrcPort is 40000 or 40001), flow => Assert.Equal(FlowVerdict.Accepted, flow.Verdict));
        Assert.Contains($"counter packets {Sent + 1} ", network.Firewall.Run("nft", "list", "table", "inet", "fw"), StringComparison.Ordinal);
    }

    private static long Packets(TracedNetwork network, int from) =>
        network.Live.Flows.Where(flow => flow.SrcPort == from).SelectMany(flow => flow.Trace).Sum(step => step.Packets ?? 0);
}
