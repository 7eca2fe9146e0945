using System.Net;
using System.Text.RegularExpressions;
using Conntracker.Core.Policies.Network;
using Conntracker.Core.Policies.Network.Packets;
using Xunit;

namespace Conntracker.Tests.Live.Policies.Network;

/// <summary>Packets that are sent into a built host pass its hooks as real ones would; tcpdump finds nothing wrong with them.</summary>
public sealed class ProbeTrafficTests : IDisposable
{
    private static readonly FirewallHost s_host = new()
    {
        Interfaces =
        [
            new FirewallInterface { Name = "eth0", Index = 2, Addresses = ["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"], LinkAddress = "00:16:3e:00:00:01" },
            new FirewallInterface { Name = "wg0", Index = 3, LinkType = 65534, Addresses = ["10.9.0.1/24"] },
            new FirewallInterface { Name = "br0", Index = 4, Kind = "bridge", Addresses = ["172.20.0.1/16"] },
            new FirewallInterface { Name = "eth1", Index = 5, Master = "br0" },
        ],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Interface = "eth0", Gateway = "192.0.2.254" },
            new FirewallRoute { Destination = "::/0", Interface = "eth0", Gateway = "fe80::2" },
        ],
        Settings = new Dictionary<string, string>
        {
            ["net.ipv4.ip_forward"] = "1",
            ["net.ipv4.conf.all.rp_filter"] = "0",
            ["net.ipv4.conf.default.rp_filter"] = "0",
        },
    };

    private readonly TestNamespace _namespace = new();

    public void Dispose() => _namespace.Dispose();

    [Fact]
    public void Tcpdump_finds_every_checksum_correct()
    {
        List<ProbeTuple> tuples = [];
        foreach ((IPAddress source, IPAddress destination) in
            (ReadOnlySpan<(IPAddress, IPAddress)>)[(A("198.51.100.7"), A("192.0.2.1")), (A("2001:db8:7::7"), A("2001:db8::1"))])
        {
            foreach (int protocol in (int[])[6, 17, 33, 47, 50, 51, 132, 136])
            {
                bool hasPorts = protocol is 6 or 17 or 33 or 132 or 136;
                tuples.Add(ProbeTuple.Of((FlowProtocol)protocol, source, (ushort)(hasPorts ? 40000 : 0), destination, (ushort)(hasPorts ? 4000 : 0)));
            }

            bool isIPv4 = source.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
            foreach (int type in isIPv4
                ? (int[])[0, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 17, 18]
                : [1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143])
            {
                tuples.Add(ProbeTuple.OfIcmp(source, destination, (byte)type, 0, 77));
            }
        }

        tuples.Add(ProbeTuple.Of(FlowProtocol.Igmp, A("192.0.2.9"), 0, A("224.0.0.22"), 0));
        tuples.Add(ProbeTuple.Of(FlowProtocol.Igmp, A("192.0.2.9"), 0, A("239.1.2.3"), 0));
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(s_host));

        // With the usual snapshot length tcpdump's buffer has room for a few packets only.
        using Tool tcpdump = _namespace.Start("tcpdump", "-i", "eth0", "-nn", "-vvv", "-l", "-s", "512", "--immediate-mode", "-Z", "root", "-Q", "in");
        Eventually.True("tcpdump listens", () => tcpdump.Error.Contains("listening", StringComparison.Ordinal));
        byte[] buffer = new byte[ProbePacketWriter.MaximumLength];
        for (int i = 0; i < tuples.Count; i++)
        {
            int length = ProbePacketWriter.Write(buffer, tuples[i], (uint)i + 100, ProbeKind.First);
            Assert.Equal(0, network.Find("eth0")!.Send(buffer.AsSpan(0, length)));
        }

        int last = ProbePacketWriter.Write(buffer, ProbeTuple.Of(FlowProtocol.Udp, A("198.51.100.7"), 1, A("192.0.2.1"), 9999), 60000, ProbeKind.First);
        network.Find("eth0")!.Send(buffer.AsSpan(0, last));
        Eventually.True("the last packet", () => tcpdump.Output.Contains("192.0.2.1.9999", StringComparison.Ordinal));
        string output = tcpdump.Output;
        Assert.DoesNotMatch(new Regex("bad|wrong|incorrect|invalid|truncated|\\[\\|", RegexOptions.IgnoreCase), output);
        Assert.Contains("[udp sum ok]", output, StringComparison.Ordinal);
        Assert.Contains("options [mss 1460]", output, StringComparison.Ordinal);
        Assert.Contains("[INIT]", output, StringComparison.Ordinal);
        const string Header = "^[0-9:.]+ IP6? \\((tos 0x0, ttl [0-9]+, id (?<number>[0-9]+)|flowlabel (?<label>0x[0-9a-f]+))";
        string[] numbers = [.. Regex.Matches(output, Header, RegexOptions.Multiline)
            .Select(each => each.Groups["number"].Success ? each.Groups["number"].Value : $"{Convert.ToUInt32(each.Groups["label"].Value, 16)}")];
        string[] expected = [.. Enumerable.Range(100, tuples.Count).Select(each => $"{each}"), "60000"];
        Assert.True(expected.SequenceEqual(numbers), $"{tcpdump.Error}\n{output}");
    }

    [Theory]
    [InlineData("/dev/net/tun")]
    [InlineData("/dev/net/missing")]
    public void A_packet_has_passed_the_rules_when_it_is_sent(string tun)
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(s_host, tun));
        Assert.Equal(tun == "/dev/net/tun", network.IsSynchronous);
        _namespace.LoadRules("""
            table netdev marks {
                chain eth0 {
                    type filter hook ingress device "eth0" priority -500;
                    ether saddr & ff:ff:00:00:00:00 == 02:4a:00:00:00:00 meta mark set @ll,64,32
                }
            }
            table inet t {
                counter of_tcp {}
                counter of_udp {}
                counter of_sctp {}
                counter of_wg {}
                counter of_bridge {}
                counter of_marked {}
                counter of_broadcast {}
                counter of_group {}
                counter of_forwarded {}
                chain input {
                    type filter hook input priority 0;
                    ct state new iif "eth0" tcp dport 22 ip id 7 counter name of_tcp
                    ct state new iifname "eth0" udp dport 53 ip6 flowlabel 8 counter name of_udp
                    ct state new sctp dport 5060 counter name of_sctp
                    iifname "wg0" counter name of_wg
                    iifname "br0" counter name of_bridge
                    meta mark 0x01020304 counter name of_marked
                    meta pkttype broadcast ip daddr 192.0.2.255 counter name of_broadcast
                    meta pkttype multicast ip daddr 239.1.2.3 counter name of_group
                    drop
                }
                chain forward {
                    type filter hook forward priority 0;
                    iifname "wg0" oifname "eth0" counter name of_forwarded
                    drop
                }
            }
            """);
        _namespace.Do(() =>
        {
            Assert.Equal(0, network.JoinGroup(A("239.1.2.3"), network.Find("eth0")!));
            Assert.Equal(0, network.JoinGroup(A("239.1.2.3"), network.Find("eth0")!));
        });
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Tcp, A("198.51.100.7"), 4000, A("192.0.2.1"), 22), 7);
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Udp, A("2001:db8:7::7"), 4000, A("2001:db8::1"), 53), 8);
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Sctp, A("198.51.100.7"), 4000, A("192.0.2.1"), 5060), 9);
        Send(network, "wg0", ProbeTuple.Of(FlowProtocol.Udp, A("10.9.0.2"), 4000, A("10.9.0.1"), 1), 10);
        Send(network, "br0", ProbeTuple.Of(FlowProtocol.Udp, A("172.20.0.2"), 4000, A("172.20.0.1"), 1), 11);
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Udp, A("192.0.2.7"), 4000, A("192.0.2.1"), 1), 12, mark: 0x01020304);
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Udp, A("192.0.2.7"), 4000, A("192.0.2.255"), 1), 13);
        Send(network, "eth0", ProbeTuple.Of(FlowProtocol.Udp, A("192.0.2.7"), 4000, A("239.1.2.3"), 1), 14);
        Send(network, "wg0", ProbeTuple.Of(FlowProtocol.Udp, A("10.9.0.2"), 4000, A("8.8.8.8"), 53), 15);
        string[] once = ["bridge 1", "broadcast 1", "forwarded 1", "group 1", "marked 1", "sctp 1", "tcp 1", "udp 1", "wg 1"];
        if (!network.IsSynchronous)
        {
            Eventually.True("the packets have passed the rules", () => Counters().SequenceEqual(once));
        }

        Assert.Equal(once, Counters());
    }

    [Fact]
    public void The_host_sends_as_any_user_with_any_mark_and_from_any_address()
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(s_host));
        _namespace.LoadRules("""
            table inet t {
                counter of_user {}
                counter of_mark {}
                counter of_other {}
                counter of_bound {}
                counter of_local {}
                counter of_six {}
                chain output {
                    type filter hook output priority 0;
                    meta skuid 1000 udp dport 1 counter name of_user
                    meta mark 9 udp dport 2 counter name of_mark
                    ip saddr 203.0.113.5 oifname "eth0" tcp dport 3 ip id 33 counter name of_other
                    oifname "wg0" udp dport 4 counter name of_bound
                    ip6 saddr 2001:db8:7::7 ip6 flowlabel 35 counter name of_six
                    udp dport 6 drop
                }
                chain input {
                    type filter hook input priority 0;
                    iifname "lo" udp dport 5 counter name of_local
                    drop
                }
            }
            """);
        _namespace.Do(() =>
        {
            using RawSender sender = new();
            IPAddress own = A("192.0.2.1");
            IPAddress far = A("198.51.100.1");
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 1), 30, uid: 1000));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 1), 31));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 2), 32, mark: 9));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Tcp, A("203.0.113.5"), 9, far, 3), 33));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 4), 34, device: "wg0"));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Tcp, A("2001:db8:7::7"), 9, A("2001:db8:8::8"), 3), 35));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, own, 5), 36));
            Assert.Equal(1, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 6), 37));
            Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, A("192.0.2.255"), 7), 38));
            Assert.Equal(19, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, own, 9, far, 7), 38, device: "gone"));
        });
        Assert.Equal(["bound 1", "local 1", "mark 1", "other 1", "six 1", "user 1"], Counters());
    }

    [Fact]
    public void A_queue_that_is_drained_never_fills()
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(s_host));
        _namespace.Do(() =>
        {
            using RawSender sender = new();
            for (uint number = 1; number <= 2000; number++)
            {
                Assert.Equal(0, Send(sender, ProbeTuple.Of(FlowProtocol.Udp, A("192.0.2.1"), 9, A("198.51.100.1"), 1), number));
                network.Drain();
            }
        });
        Assert.Equal("0", _namespace.Do(() => File.ReadAllLines("/proc/thread-self/net/dev")).Single(each => each.Contains("eth0:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[12]);
    }

    private static IPAddress A(string text) => IPAddress.Parse(text);

    private static void Send(HostNetwork network, string device, ProbeTuple tuple, uint number, uint mark = 0)
    {
        byte[] buffer = new byte[ProbePacketWriter.MaximumLength];
        int length = ProbePacketWriter.Write(buffer, tuple, number, ProbeKind.First);
        LinkDestination destination = network.LinkDestinationFor(tuple.Destination.ToIPAddress(tuple.Family));
        Assert.Equal(0, network.Find(device)!.Send(buffer.AsSpan(0, length), destination, mark));
    }

    private static int Send(RawSender sender, ProbeTuple tuple, uint number, uint? uid = null, uint mark = 0, string? device = null)
    {
        byte[] buffer = new byte[ProbePacketWriter.MaximumLength];
        int length = ProbePacketWriter.Write(buffer, tuple, number, ProbeKind.First);
        return sender.Send(buffer.AsSpan(0, length), uid, mark, device);
    }

    private string[] Counters() =>
        [.. Regex.Matches(_namespace.Run("nft", "list", "counters"), "counter of_(?<name>\\S+) \\{\\s+packets (?<packets>\\d+)")
            .Select(each => $"{each.Groups["name"].Value} {each.Groups["packets"].Value}").Order(StringComparer.Ordinal)];
}
