namespace Conntracker.Tests.Unit;

/// <summary>A packet and its answer, of each protocol and each kind of IP header.</summary>
/// <param name="Name">What it is, for a test's name.</param>
/// <param name="Flow">The flow that they are, as <see cref="Flow.ToString"/> says it.</param>
/// <param name="There">The packet that begins.</param>
/// <param name="Back">Its answer.</param>
internal sealed record Exchange(string Name, string Flow, byte[] There, byte[] Back)
{
    public static IReadOnlyList<Exchange> All { get; } = [.. Build()];

    public static Exchange Of(string name) => All.Single(each => each.Name == name);

    private static IEnumerable<Exchange> Build()
    {
        (FlowProtocol Protocol, byte[] There, byte[] Back)[] transports =
        [
            (FlowProtocol.Tcp, Packet.Tcp(40000, 443, "S"), Packet.Tcp(443, 40000, "SA")),
            (FlowProtocol.Udp, Packet.Ports(40000, 443), Packet.Ports(443, 40000, 12)),
            (FlowProtocol.UdpLite, Packet.Ports(40000, 443), Packet.Ports(443, 40000)),
            (FlowProtocol.Sctp, Packet.Sctp(40000, 443, 1), Packet.Sctp(443, 40000, 2)),
            (FlowProtocol.Dccp, Packet.Dccp(40000, 443, 0), Packet.Dccp(443, 40000, 1)),
            (FlowProtocol.Icmp, Packet.Icmp(8, 0, 77), Packet.Icmp(0, 0, 77)),
            (FlowProtocol.IcmpV6, Packet.Icmp(128, 0, 77), Packet.Icmp(129, 0, 77)),
            (FlowProtocol.Gre, [0, 0, 8, 0], [0, 0, 8, 0]),
            (FlowProtocol.Esp, new byte[16], new byte[16]),
            ((FlowProtocol)253, [], []),
        ];
        foreach ((FlowProtocol protocol, byte[] there, byte[] back) in transports)
        {
            string ports = protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.UdpLite or FlowProtocol.Sctp or FlowProtocol.Dccp ? "ports" : "";
            if (protocol != FlowProtocol.IcmpV6)
            {
                string flow = $"{protocol} 192.0.2.2{(ports.Length > 0 ? ":40000" : "")} -> 198.51.100.2{(ports.Length > 0 ? ":443" : "")}";
                yield return new($"{protocol}, IPv4", flow, Packet.IPv4(protocol, there), Packet.IPv4(protocol, back, "198.51.100.2", "192.0.2.2"));
                yield return new(
                    $"{protocol}, IPv4 with options", flow, Packet.IPv4(protocol, there, options: 12),
                    Packet.IPv4(protocol, back, "198.51.100.2", "192.0.2.2", options: 40));
            }

            if (protocol != FlowProtocol.Icmp)
            {
                string flow = ports.Length > 0 ? $"{protocol} [2001:db8:1::2]:40000 -> [2001:db8:2::2]:443" : $"{protocol} 2001:db8:1::2 -> 2001:db8:2::2";
                yield return new($"{protocol}, IPv6", flow, Packet.IPv6(protocol, there), Packet.IPv6(protocol, back, "2001:db8:2::2", "2001:db8:1::2"));
                yield return new(
                    $"{protocol}, IPv6 with extension headers",
                    flow,
                    Packet.IPv6(protocol, there, extensions: [Packet.Extension(0, 8), Packet.Extension(43, 24)]),
                    Packet.IPv6(protocol, back, "2001:db8:2::2", "2001:db8:1::2", Packet.Authentication(12), Packet.Extension(60, 8)));
            }
        }
    }
}
