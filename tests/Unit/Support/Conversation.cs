using System.Globalization;

namespace Conntracker.Tests.Unit;

/// <summary>
/// Packets between the ends a and b, as a script: <c>a:SA</c> is a packet of a with the flags SYN and ACK, or what the protocol has instead
/// of flags; <c>+30</c> and <c>-30</c> move the clock by seconds; <c>|</c> says that all packets have come. A packet takes a millisecond.
/// </summary>
internal sealed record Conversation(FlowProtocol Protocol)
{
    private static readonly string[] s_chunks =
    [
        "DATA", "INIT", "INIT_ACK", "SACK", "HEARTBEAT", "HEARTBEAT_ACK", "ABORT", "SHUTDOWN",
        "SHUTDOWN_ACK", "ERROR", "COOKIE_ECHO", "COOKIE_ACK", "ECNE", "CWR", "SHUTDOWN_COMPLETE",
    ];

    private static readonly string[] s_types = ["REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK"];

    public string A { get; init; } = "192.0.2.2";

    public int APort { get; init; } = 40000;

    public string B { get; init; } = "198.51.100.2";

    public int BPort { get; init; } = 443;

    public void Play(PacketProbe probe, string script)
    {
        foreach (string step in script.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (step[0])
            {
                case '+' or '-':
                    probe.Wait(double.Parse(step, CultureInfo.InvariantCulture));
                    break;
                case '|':
                    probe.Flush();
                    break;
                default:
                    probe.Put(Build(step));
                    probe.Wait(0.001);
                    break;
            }
        }
    }

    /// <summary>One packet of the script.</summary>
    public byte[] Build(string step)
    {
        bool isOfA = step[0] == 'a';
        (string src, int srcPort, string dst, int dstPort) = isOfA ? (A, APort, B, BPort) : (B, BPort, A, APort);
        byte[] payload = Transport(srcPort, dstPort, step.Length > 2 ? step[2..] : "");
        return src.Contains(':', StringComparison.Ordinal) ? Packet.IPv6(Protocol, payload, src, dst) : Packet.IPv4(Protocol, payload, src, dst);
    }

    private byte[] Transport(int src, int dst, string what) => Protocol switch
    {
        FlowProtocol.Tcp => Packet.Tcp(src, dst, what),
        FlowProtocol.Sctp => Packet.Sctp(src, dst, Array.IndexOf(s_chunks, what)),
        FlowProtocol.Dccp => Packet.Dccp(src, dst, Array.IndexOf(s_types, what)),
        FlowProtocol.Icmp or FlowProtocol.IcmpV6 => Packet.Icmp(int.Parse(what, CultureInfo.InvariantCulture), 0, APort),
        FlowProtocol.Udp or FlowProtocol.UdpLite => Packet.Ports(src, dst),
        _ => [0, 0, 8, 0],
    };
}
