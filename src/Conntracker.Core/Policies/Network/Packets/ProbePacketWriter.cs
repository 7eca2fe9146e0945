namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes the packet that stands for a flow: as its sender would, with true checksums, and with a number by which it is found again.</summary>
internal static class ProbePacketWriter
{
    /// <summary>The size of a buffer that holds every packet.</summary>
    public const int MaximumLength = 256;

    /// <summary>The greatest number of an IPv4 packet; the least is 1.</summary>
    public const uint MaximumIPv4Number = ushort.MaxValue;

    /// <summary>The greatest number of an IPv6 packet; the least is 1.</summary>
    public const uint MaximumIPv6Number = 0xfffff;

    /// <summary>The first sequence number of who begins a TCP connection.</summary>
    internal const uint ClientSequence = 0x10000000;

    /// <summary>The first sequence number of who answers.</summary>
    internal const uint ServerSequence = 0x20000000;

    private const byte UsualHops = 64;

    /// <summary>Writes a packet.</summary>
    /// <param name="buffer">Receives it; at least <see cref="MaximumLength"/> bytes.</param>
    /// <param name="tuple">Addresses, ports, ICMP type.</param>
    /// <param name="number">
    /// The identification of the IPv4 header (1 to 65535) or the flow label of the IPv6 header (1 to 1048575); it stays the same through NAT.
    /// </param>
    /// <param name="kind">Which packet of the conversation.</param>
    /// <returns>The length.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number does not fit the family.</exception>
    public static int Write(Span<byte> buffer, in ProbeTuple tuple, uint number, ProbeKind kind)
    {
        const byte DccpRequest = 0;
        const byte DccpDataAck = 4;
        CheckNumber(tuple.Family, number);
        bool isData = kind == ProbeKind.Data;
        bool hasAlert = HasAlert(tuple);
        int header = IpHeaderWriter.LengthOf(tuple.Family, hasAlert);
        Span<byte> content = buffer[header..];
        int length;
        switch (tuple.Protocol)
        {
            case FlowProtocol.Tcp:
                length = isData
                    ? TransportWriter.WriteTcp(content, tuple, TransportWriter.Psh | TransportWriter.Ack, ClientSequence + 1, ServerSequence + 1)
                    : TransportWriter.WriteTcp(content, tuple, TransportWriter.Syn, ClientSequence, 0);
                break;
            case FlowProtocol.Sctp:
                length = TransportWriter.WriteSctp(content, tuple, isData ? SctpChunkWriter.ServerTag : 0);
                length += SctpChunkWriter.Write(content[length..], isData ? SctpChunkWriter.Data : SctpChunkWriter.Init);
                break;
            case FlowProtocol.Dccp:
                length = TransportWriter.WriteDccp(content, tuple, isData ? DccpDataAck : DccpRequest, isData ? 3u : 1u, 1);
                break;
            default:
                length = WriteStateless(content, tuple);
                break;
        }

        IpHeaderWriter.Write(buffer[..(header + length)], tuple, number, HopsOf(tuple), hasAlert);
        return header + length;
    }

    /// <summary>Writes what follows the IP header, for protocols whose packets all look alike.</summary>
    internal static int WriteStateless(Span<byte> content, in ProbeTuple tuple) => tuple switch
    {
        { Protocol: FlowProtocol.Udp or FlowProtocol.UdpLite } => TransportWriter.WriteUdp(content, tuple),
        { Protocol: FlowProtocol.Icmp, Family: FlowFamily.IPv4 } or { Protocol: FlowProtocol.IcmpV6, Family: FlowFamily.IPv6 } =>
            IcmpWriter.Write(content, tuple),
        { Protocol: FlowProtocol.Igmp, Family: FlowFamily.IPv4 } => TransportWriter.WriteIgmp(content, tuple),
        _ => TransportWriter.WriteOther(content, tuple),
    };

    /// <summary>Throws unless a number fits the field of the family.</summary>
    internal static void CheckNumber(FlowFamily family, uint number)
    {
        ArgumentOutOfRangeException.ThrowIfZero(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, family == FlowFamily.IPv4 ? MaximumIPv4Number : MaximumIPv6Number);
    }

    /// <summary>TTL or hop limit of a packet.</summary>
    internal static byte HopsOf(in ProbeTuple tuple) => tuple.Protocol switch
    {
        FlowProtocol.Igmp when tuple.Family == FlowFamily.IPv4 => 1,
        FlowProtocol.IcmpV6 when IcmpWriter.IsListenerDiscovery(tuple.IcmpType) => 1,
        FlowProtocol.IcmpV6 when IcmpWriter.IsNeighbourDiscovery(tuple.IcmpType) => byte.MaxValue,
        _ => UsualHops,
    };

    private static bool HasAlert(in ProbeTuple tuple) => tuple.Family == FlowFamily.IPv4
        ? tuple.Protocol == FlowProtocol.Igmp
        : tuple.Protocol == FlowProtocol.IcmpV6 && IcmpWriter.IsListenerDiscovery(tuple.IcmpType);
}
