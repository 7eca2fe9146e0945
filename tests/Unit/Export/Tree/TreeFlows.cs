using System.Net;

namespace Conntracker.Tests.Unit.Export;

/// <summary>Flows for trees.</summary>
internal static class TreeFlows
{
    public static Flow Of(
        FlowDirection direction, FlowProtocol protocol, string src, int? srcPort, string dst, int? dstPort, FlowFolding folding = FlowFolding.None)
    {
        bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
        IPAddress from = IPAddress.Parse(src);
        return new Flow
        {
            Direction = direction,
            Protocol = protocol,
            Family = from.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
            SrcAddress = from,
            DstAddress = IPAddress.Parse(dst),
            SrcPort = isIcmp ? null : (ushort?)srcPort,
            DstPort = isIcmp ? null : (ushort?)dstPort,
            IcmpType = isIcmp ? (byte?)srcPort : null,
            IcmpCode = isIcmp ? (byte?)dstPort : null,
            IcmpId = isIcmp ? (ushort)77 : null,
            Folding = folding,
        };
    }

    /// <summary>The files of a tree, relative, sorted.</summary>
    public static string[] Files(string root) =>
        [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(each => Path.GetRelativePath(root, each)).Order(StringComparer.Ordinal)];
}
