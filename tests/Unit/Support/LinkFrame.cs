using System.Buffers.Binary;

namespace Conntracker.Tests.Unit;

/// <summary>IP packets with the headers that links put before them.</summary>
internal static class LinkFrame
{
    private const int ShortestFrame = 60;

    /// <summary>Ethernet, with VLAN tags of these kinds; filled up to 60 bytes, as network cards do.</summary>
    public static byte[] Ethernet(byte[] packet, params int[] tags)
    {
        byte[] frame = [.. Addresses(), .. Tags(tags), .. EtherType(packet), .. packet];
        return frame.Length >= ShortestFrame ? frame : [.. frame, .. new byte[ShortestFrame - frame.Length]];
    }

    /// <summary>Ethernet of another type than IP.</summary>
    public static byte[] EthernetOf(int type, byte[] rest) => [.. Addresses(), (byte)(type >> 8), (byte)type, .. rest];

    /// <summary>A PPPoE session in Ethernet (RFC 2516), behind VLAN tags.</summary>
    public static byte[] PppoE(byte[] packet, params int[] tags)
    {
        int length = packet.Length + 2;
        return
        [
            .. Addresses(), .. Tags(tags), 0x88, 0x64, 0x11, 0, 0, 7, (byte)(length >> 8), (byte)length,
            0, (byte)(IsIPv6(packet) ? 0x57 : 0x21), .. packet,
        ];
    }

    /// <summary>Linux cooked, version 1 (LINKTYPE_LINUX_SLL).</summary>
    public static byte[] Cooked(byte[] packet, params int[] tags) => [0, 4, 0, 1, 0, 6, .. new byte[8], .. Tags(tags), .. EtherType(packet), .. packet];

    /// <summary>Linux cooked, version 2 (LINKTYPE_LINUX_SLL2); the protocol stands first.</summary>
    public static byte[] Cooked2(byte[] packet, params int[] tags)
    {
        byte[] types = [.. Tags(tags), .. EtherType(packet)];
        return [types[0], types[1], 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, .. new byte[8], .. types[2..], .. packet];
    }

    /// <summary>
    /// The same of a frame with one tag more than these, as Linux since 6.10 writes it: the header names what is innermost, and behind it stand
    /// each further tag's own bytes and the type of what comes next.
    /// </summary>
    public static byte[] Cooked2OfStack(byte[] packet, params int[] tags)
    {
        byte[] stack = [.. Tags(tags), .. EtherType(packet)];
        return [.. EtherType(packet), 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, .. new byte[8], .. stack[2..], .. packet];
    }

    /// <summary>The loopback of the BSDs: the family's number, in the order of the machine or of the network.</summary>
    public static byte[] Loopback(byte[] packet, int family, bool isBigEndian)
    {
        byte[] header = new byte[4];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteInt32BigEndian(header, family);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(header, family);
        }

        return [.. header, .. packet];
    }

    private static byte[] Addresses() => [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    private static byte[] Tags(int[] tags) => [.. tags.SelectMany((each, number) => new byte[] { (byte)(each >> 8), (byte)each, 0, (byte)(number + 1) })];

    private static byte[] EtherType(byte[] packet) => IsIPv6(packet) ? [0x86, 0xdd] : [8, 0];

    private static bool IsIPv6(byte[] packet) => packet[0] >> 4 == 6;
}
