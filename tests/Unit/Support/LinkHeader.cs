using Conntracker.Core.Native;

namespace Conntracker.Tests.Unit;

/// <summary>A kind of header that frames have.</summary>
/// <param name="Name">What it is, for a test's name.</param>
/// <param name="LinkType">Its LINKTYPE_* number, as files have it.</param>
/// <param name="Put">Puts it before an IP packet.</param>
internal sealed record LinkHeader(string Name, int LinkType, Func<byte[], byte[]> Put)
{
    /// <summary>All that are understood, of both families.</summary>
    public static IReadOnlyList<LinkHeader> All { get; } =
    [
        new("Ethernet", PcapFile.Ethernet, packet => LinkFrame.Ethernet(packet)),
        new("one tag", PcapFile.Ethernet, packet => LinkFrame.Ethernet(packet, 0x8100)),
        new("one service tag", PcapFile.Ethernet, packet => LinkFrame.Ethernet(packet, 0x88a8)),
        new("two tags", PcapFile.Ethernet, packet => LinkFrame.Ethernet(packet, 0x88a8, 0x8100)),
        new("three tags", PcapFile.Ethernet, packet => LinkFrame.Ethernet(packet, 0x9100, 0x88a8, 0x8100)),
        new("PPPoE", PcapFile.Ethernet, packet => LinkFrame.PppoE(packet)),
        new("PPPoE behind a tag", PcapFile.Ethernet, packet => LinkFrame.PppoE(packet, 0x8100)),
        new("cooked", PcapFile.Cooked, packet => LinkFrame.Cooked(packet)),
        new("cooked, one tag", PcapFile.Cooked, packet => LinkFrame.Cooked(packet, 0x8100)),
        new("cooked 2", PcapFile.Cooked2, packet => LinkFrame.Cooked2(packet)),
        new("cooked 2, one tag", PcapFile.Cooked2, packet => LinkFrame.Cooked2(packet, 0x88a8)),
        new("cooked 2, two tags", PcapFile.Cooked2, packet => LinkFrame.Cooked2OfStack(packet, 0x8100)),
        new("cooked 2, three tags", PcapFile.Cooked2, packet => LinkFrame.Cooked2OfStack(packet, 0x88a8, 0x8100)),
        new("raw", PcapFile.Raw, packet => packet),
        new("loopback of Linux", PcapFile.Null, packet => Loopback(packet, 10, isBigEndian: false)),
        new("loopback of NetBSD", PcapFile.Null, packet => Loopback(packet, 24, isBigEndian: false)),
        new("loopback of FreeBSD", PcapFile.Null, packet => Loopback(packet, 28, isBigEndian: false)),
        new("loopback of macOS", PcapFile.Null, packet => Loopback(packet, 30, isBigEndian: false)),
        new("loopback of a big-endian machine", PcapFile.Null, packet => Loopback(packet, 24, isBigEndian: true)),
        new("loopback of OpenBSD", PcapFile.Loop, packet => Loopback(packet, 24, isBigEndian: true)),
    ];

    /// <summary>Its DLT_* number, as libpcap gives it.</summary>
    public int Dlt => LinkType == PcapFile.Raw ? PcapConstants.DLT_RAW : LinkType;

    public static LinkHeader Of(string name) => All.Single(each => each.Name == name);

    private static byte[] Loopback(byte[] packet, int inet6, bool isBigEndian) => LinkFrame.Loopback(packet, packet[0] >> 4 == 6 ? inet6 : 2, isBigEndian);
}
