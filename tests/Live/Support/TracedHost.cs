using System.Net;
using System.Net.Sockets;
using System.Text;
using Conntracker.Core.Flows;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;

namespace Conntracker.Tests.Live.Support;

/// <summary>A namespace with rules of iptables-legacy for both families and a table of nftables that has every packet traced.</summary>
internal sealed class TracedHost : IDisposable
{
    /// <summary>What the filter drops.</summary>
    public const int DroppedPort = 5001;

    /// <summary>What it accepts by its policy.</summary>
    public const int AcceptedPort = 5000;

    /// <summary>Makes it.</summary>
    public TracedHost()
    {
        Namespace = new TestNamespace();
        foreach (string iptables in (string[])["iptables-legacy", "ip6tables-legacy"])
        {
            Namespace.Run(iptables, "-t", "raw", "-A", "PREROUTING", "-p", "tcp", "-j", "ACCEPT");
            Namespace.Run(iptables, "-N", "services");
            Namespace.Run(iptables, "-A", "services", "-p", "udp", "--dport", $"{DroppedPort}", "-j", "DROP");
            Namespace.Run(iptables, "-A", "INPUT", "-p", "udp", "-j", "services");
        }

        Namespace.LoadRules("""
            table inet tracer {
              chain in { type filter hook prerouting priority -399; meta nftrace set 1; }
              chain out { type filter hook output priority -399; meta nftrace set 1; }
            }
            """);
    }

    /// <summary>The namespace.</summary>
    public TestNamespace Namespace { get; }

    /// <summary>Its loopback address.</summary>
    public static IPAddress Loopback(FlowFamily family) => family == FlowFamily.IPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;

    /// <summary>The steps of a datagram from this port to itself, as <see cref="Take"/> tells them.</summary>
    public static string[] Steps(FlowFamily family, int srcPort, int dstPort)
    {
        string packet = $"{Loopback(family)}:{srcPort} > {Loopback(family)}:{dstPort}";
        string[] before =
        [
            $"{family} 3 raw|OUTPUT|Policy|1 {packet}",
            $"{family} 3 filter|OUTPUT|Policy|1 {packet}",
            $"{family} 0 raw|PREROUTING|Policy|2 {packet}",
            $"{family} 1 filter|INPUT|Rule|1 {packet}",
        ];
        return dstPort == DroppedPort
            ? [.. before, $"{family} 1 filter|services|Rule|1 {packet}"]
            : [.. before, $"{family} 1 filter|services|Return|2 {packet}", $"{family} 1 filter|INPUT|Policy|2 {packet}"];
    }

    /// <summary>Sends datagrams of UDP that nobody answers.</summary>
    public void Send(FlowFamily family, int srcPort, int dstPort, int count = 1) => Namespace.Do(() =>
    {
        using Socket socket = new(Loopback(family).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(Loopback(family), srcPort));
        for (int i = 0; i < count; i++)
        {
            socket.SendTo([1], new IPEndPoint(Loopback(family), dstPort));
        }
    });

    /// <summary>What a tap has of datagrams from this port, in words, in order; what it takes is gone.</summary>
    public static List<string> Take(NflogSubscriber tap, int srcPort)
    {
        List<string> lines = [];
        Each(tap, srcPort, (in IptablesTraceLine line) => lines.Add(Show(in line)));
        return lines;
    }

    /// <summary>How many lines a tap has of datagrams from this port; what it takes is gone.</summary>
    public static int Count(NflogSubscriber tap, int srcPort)
    {
        int count = 0;
        Each(tap, srcPort, (in IptablesTraceLine line) => count++);
        return count;
    }

    private delegate void TakeLine(in IptablesTraceLine line);

    private static void Each(NflogSubscriber tap, int srcPort, TakeLine take)
    {
        while (tap.TryRead(out ReadOnlySpan<byte> datagram))
        {
            NetlinkMessageReader messages = new(datagram);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (NflogDecoder.Decode(in message, out IptablesTraceLine line) == DecodeResult.Decoded && IsFrom(in line, srcPort))
                {
                    take(in line);
                }
            }

            tap.Release();
        }
    }

    /// <summary>Whether a line is of a datagram of UDP from this port, and not of the error that answers it.</summary>
    public static bool IsFrom(in IptablesTraceLine line, int srcPort) =>
        line.HasPacket && !line.Packet.IsIcmpError && line.Packet.Key.Protocol == FlowProtocol.Udp && line.Packet.Key.Original.SrcPort == srcPort;

    /// <summary>A line in words.</summary>
    public static string Show(in IptablesTraceLine line)
    {
        FlowEndpoints ends = line.Packet.Key.Original;
        return $"{line.Family} {line.Hook} {Encoding.UTF8.GetString(line.Table)}|{Encoding.UTF8.GetString(line.Chain)}|{line.Type}|{line.Position} "
            + $"{ends.Src.ToIPAddress(line.Family)}:{ends.SrcPort} > {ends.Dst.ToIPAddress(line.Family)}:{ends.DstPort}";
    }

    /// <inheritdoc/>
    public void Dispose() => Namespace.Dispose();
}
