using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Conntracker.Tests.Live.Policies.Suggestions;

/// <summary>Flows for policies: of every direction, family and protocol, with processes whose names are hostile.</summary>
internal static class SeenFlows
{
    private const string Hostile = "x\" accept\n'`$(reboot)\\";

    private static readonly FlowProtocol[] s_protocols = [FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.Sctp, FlowProtocol.Dccp, FlowProtocol.UdpLite];

    /// <summary>Random flows, the same for the same seed.</summary>
    public static Flow[] Random(int seed, int count)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Next(random))];
    }

    /// <summary>A flow that was answered.</summary>
    public static Flow Of(FlowDirection direction, FlowProtocol protocol, string from, string to, int service, int clientPort = 40000)
    {
        bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
        bool hasPorts = s_protocols.Contains(protocol);
        IPAddress source = IPAddress.Parse(from);
        IPAddress destination = IPAddress.Parse(to);
        ushort? client = hasPorts ? (ushort)clientPort : null;
        ushort? port = hasPorts ? (ushort)service : null;
        return new Flow
        {
            Direction = direction,
            Protocol = protocol,
            Family = source.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
            SrcAddress = source,
            DstAddress = destination,
            SrcPort = client,
            DstPort = port,
            IcmpType = isIcmp ? (byte)service : null,
            IcmpCode = isIcmp ? (byte)0 : null,
            ReplySrcAddress = destination,
            ReplySrcPort = port,
            ReplyDstAddress = source,
            ReplyDstPort = client,
            Confirmed = true,
            FirstSeen = DateTimeOffset.UnixEpoch,
            LastSeen = DateTimeOffset.UnixEpoch.AddDays(1),
        };
    }

    private static Flow Next(Random random)
    {
        bool isIPv6 = random.Next(3) == 0;
        string host = Host(random, isIPv6);
        string own = isIPv6 ? "2001:db8:2::1" : random.Next(5) == 0 ? "192.0.2.2" : "192.0.2.1";
        FlowProtocol protocol = random.Next(20) switch
        {
            0 => isIPv6 ? FlowProtocol.IcmpV6 : FlowProtocol.Icmp,
            1 => FlowProtocol.Gre,
            2 => FlowProtocol.Esp,
            3 => FlowProtocol.Sctp,
            < 14 => FlowProtocol.Tcp,
            _ => FlowProtocol.Udp,
        };
        int service = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6 ? isIPv6 ? 128 : 8 : random.Next(4) == 0 ? random.Next(1, 65536)
            : 20 + random.Next(30);
        Flow flow = random.Next(3) switch
        {
            0 => Of(FlowDirection.In, protocol, host, own, service),
            1 => Of(FlowDirection.Out, protocol, own, host, service),
            _ => Of(FlowDirection.Forward, protocol, host, Host(random, isIPv6), service),
        };
        flow.Connections = random.Next(1, 1000);
        flow.Process = random.Next(2) == 0 ? null : new FlowProcess { Id = 1, Name = Hostile + random.Next(30).ToString(CultureInfo.InvariantCulture) };
        return flow;
    }

    private static string Host(Random random, bool isIPv6) => isIPv6
        ? string.Create(CultureInfo.InvariantCulture, $"2001:db8:1::{1 + random.Next(60):x}")
        : string.Create(CultureInfo.InvariantCulture, $"10.{random.Next(3)}.0.{1 + random.Next(60)}");
}
