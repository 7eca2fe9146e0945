using System.Net;
using System.Text.RegularExpressions;
using Conntracker.Core.Policies.Network;
using Conntracker.Core.Policies.Network.Packets;
using Xunit;

namespace Conntracker.Tests.Live.Policies.Network;

/// <summary>Packets and their answers are conversations to connection tracking: a ruleset that accepts established connections accepts them.</summary>
public sealed class ProbeConversationTests : IDisposable
{
    private static readonly IPAddress s_client = IPAddress.Parse("198.51.100.7");
    private static readonly IPAddress s_server = IPAddress.Parse("10.9.0.2");
    private static readonly IPAddress s_client6 = IPAddress.Parse("2001:db8:7::7");
    private static readonly IPAddress s_server6 = IPAddress.Parse("2001:db8:9::2");

    private static readonly FirewallHost s_host = new()
    {
        Interfaces =
        [
            new FirewallInterface { Name = "eth0", Index = 2, Addresses = ["192.0.2.1/24", "2001:db8::1/64"] },
            new FirewallInterface { Name = "wg0", Index = 3, LinkType = 65534, Addresses = ["10.9.0.1/24", "2001:db8:9::1/64"] },
        ],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Interface = "eth0", Gateway = "192.0.2.254" },
            new FirewallRoute { Destination = "::/0", Interface = "eth0", Gateway = "2001:db8::2" },
        ],
        Settings = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["net.ipv6.conf.all.forwarding"] = "1" },
    };

    private readonly TestNamespace _namespace = new();
    private uint _number;

    public void Dispose() => _namespace.Dispose();

    [Theory]
    [InlineData(FlowProtocol.Tcp)]
    [InlineData(FlowProtocol.Udp)]
    [InlineData(FlowProtocol.Sctp)]
    [InlineData(FlowProtocol.Gre)]
    [InlineData(FlowProtocol.Esp)]
    [InlineData((FlowProtocol)200)]
    public void Answers_are_established_in_both_families(FlowProtocol protocol)
    {
        using HostNetwork network = Build();
        bool hasPorts = protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp;
        ushort from = (ushort)(hasPorts ? 40000 : 0);
        ushort to = (ushort)(hasPorts ? 443 : 0);
        int answers = Converse(network, ProbeTuple.Of(protocol, s_client, from, s_server, to), hasData: true);
        answers += Converse(network, ProbeTuple.Of(protocol, s_client6, from, s_server6, to), hasData: true);
        Assert.Equal([$"established {answers}", "invalid 0", "new 2", "related 0"], Counters());
    }

    [Fact]
    public void Replies_to_ICMP_queries_are_established()
    {
        using HostNetwork network = Build();
        int answers = Converse(network, ProbeTuple.OfIcmp(s_client, s_server, 8, 0, 77), hasData: false);
        answers += Converse(network, ProbeTuple.OfIcmp(s_client, s_server, 13, 0, 78), hasData: false);
        answers += Converse(network, ProbeTuple.OfIcmp(s_client6, s_server6, 128, 0, 79), hasData: false);
        Assert.Equal(3, answers);
        Assert.Equal(["established 3", "invalid 0", "new 3", "related 0"], Counters());
    }

    [Fact]
    public void Errors_are_related_to_what_they_are_about()
    {
        using HostNetwork network = Build();
        foreach (ProbeTuple tuple in (ProbeTuple[])[
            ProbeTuple.Of(FlowProtocol.Udp, s_client, 40000, s_server, 53), ProbeTuple.Of(FlowProtocol.Tcp, s_client6, 40000, s_server6, 53)])
        {
            byte[] packet = First(tuple, ProbeKind.First);
            byte[] error = new byte[ProbeReplyWriter.MaximumLength];
            Send(network, "eth0", packet);
            Send(network, "wg0", error[..ProbeReplyWriter.WriteError(error, packet, ++_number)]);
        }

        Assert.Equal(["established 0", "invalid 0", "new 2", "related 2"], Counters());
    }

    private HostNetwork Build()
    {
        HostNetwork network = _namespace.Do(() => HostNetwork.Build(s_host));
        _namespace.LoadRules("""
            table inet t {
                counter of_new {}
                counter of_established {}
                counter of_related {}
                counter of_invalid {}
                chain forward {
                    type filter hook forward priority 0;
                    ct state new counter name of_new
                    ct state established counter name of_established
                    ct state related counter name of_related
                    ct state invalid counter name of_invalid
                }
            }
            """);
        return network;
    }

    // The first packet, at most three answers to one another, then data and its answer. Returns how many followed the first.
    private int Converse(HostNetwork network, ProbeTuple tuple, bool hasData)
    {
        const int Answers = 3;
        int sent = Follow(network, First(tuple, ProbeKind.First), Answers);
        return hasData ? sent + 1 + Follow(network, First(tuple, ProbeKind.Data), 1) : sent;
    }

    private int Follow(HostNetwork network, byte[] packet, int most)
    {
        Send(network, "eth0", packet);
        for (int answers = 0; answers < most; answers++)
        {
            byte[] buffer = new byte[ProbeReplyWriter.MaximumLength];
            packet = buffer[..ProbeReplyWriter.Write(buffer, packet, ++_number)];
            if (packet.Length == 0)
            {
                return answers;
            }

            Send(network, answers % 2 == 0 ? "wg0" : "eth0", packet);
        }

        return most;
    }

    private byte[] First(ProbeTuple tuple, ProbeKind kind)
    {
        byte[] buffer = new byte[ProbePacketWriter.MaximumLength];
        return buffer[..ProbePacketWriter.Write(buffer, tuple, ++_number, kind)];
    }

    private static void Send(HostNetwork network, string device, byte[] packet) => Assert.Equal(0, network.Find(device)!.Send(packet));

    private string[] Counters() =>
        [.. Regex.Matches(_namespace.Run("nft", "list", "counters"), "counter of_(?<name>\\S+) \\{\\s+packets (?<packets>\\d+)")
            .Select(each => $"{each.Groups["name"].Value} {each.Groups["packets"].Value}").Order(StringComparer.Ordinal)];
}
