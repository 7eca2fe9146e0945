using System.Net;
using System.Net.Sockets;

namespace Conntracker.Tests.Live.Policies;

/// <summary>Flows that nobody has seen.</summary>
internal static class TestFlows
{
    /// <summary>A flow; of ICMP an echo request.</summary>
    public static Flow Of(FlowProtocol protocol, string source, string destination, ushort port, ushort sourcePort = 40000)
    {
        bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
        IPAddress to = IPAddress.Parse(destination);
        return new Flow
        {
            Protocol = protocol,
            Family = to.AddressFamily == AddressFamily.InterNetworkV6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
            SrcAddress = IPAddress.Parse(source),
            SrcPort = isIcmp ? null : sourcePort,
            DstAddress = to,
            DstPort = isIcmp ? null : port,
            IcmpType = isIcmp ? (byte)(protocol == FlowProtocol.Icmp ? 8 : 128) : null,
            IcmpCode = isIcmp ? (byte)0 : null,
            IcmpId = isIcmp ? (ushort)77 : null,
        };
    }
}
