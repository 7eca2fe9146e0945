using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Conntracker.Core.Captures;
using Conntracker.Core.Packets;
using static Conntracker.Core.Native.PcapConstants;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Packets with the headers of each link layer, alone and in capture files.</summary>
internal static class PacketHarnesses
{
    private const int FileHeader = 24;
    private const int PacketHeader = 16;
    private const int EthernetHeader = 14;

    // What stands before an IPv4 packet; a packet of IPv6 differs in the protocol's number only, which the mutator finds.
    private static readonly (int LinkType, int FileLinkType, string Header)[] s_links =
    [
        (DLT_EN10MB, 1, "020000000001 020000000002 0800"),
        (DLT_EN10MB, 1, "020000000001 020000000002 8100 0064 0800"),
        (DLT_EN10MB, 1, "020000000001 020000000002 88A8 0064 8100 0065 0800"),
        (DLT_EN10MB, 1, "020000000001 020000000002 8864 11000001001C 0021"),
        (DLT_LINUX_SLL, 113, "0000 0001 0006 020000000001 0000 0800"),
        (DLT_LINUX_SLL2, 276, "0800 0000 00000001 0001 00 06 0200000000010000"),
        (DLT_NULL, 0, "02000000"),
        (DLT_LOOP, 108, "00000002"),
        (DLT_RAW, 101, ""),
    ];

    public static IEnumerable<Harness> All(Corpus corpus, ScratchFile scratch)
    {
        _ = corpus;
        byte[] office = Corpus.SharedFile("office.pcap");
        byte[][] packets = [.. PacketsOf(office)];
        ByteMutator mutator = new(
            [8, 0], [0x86, 0xdd], [0x81, 0], [0x88, 0xa8], [0x88, 0x64], [0, 0x21], [0, 0x57], [0x45], [0x60], [0x4f], [6], [17], [1], [58], [132], [33], [44]);
        yield return new Harness("packet", [.. Frames(packets)], mutator, Packet);

        // Without libpcap there is nothing that reads the files.
        if (NativeLibrary.TryLoad("libpcap.so.0.8", out _) || NativeLibrary.TryLoad("libpcap.so.1", out _))
        {
            byte[][] files = [office, Corpus.SharedFile("office.pcapng"), .. s_links.Select(each => FileOf(each, packets))];
            mutator = new([0xd4, 0xc3, 0xb2, 0xa1], [6, 0, 0, 0], [1, 0, 0, 0], [3, 0, 0, 0]);
            yield return new Harness("pcap", files, mutator, input => Pcap(scratch.Write(input)));
        }
    }

    /// <summary>The packets of a little-endian capture file of Ethernet, from the IP header on.</summary>
    public static IEnumerable<byte[]> PacketsOf(byte[] file)
    {
        for (int start = FileHeader; start < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(start + 8));
            yield return file[(start + PacketHeader + EthernetHeader)..(start + PacketHeader + length)];
            start += PacketHeader + length;
        }
    }

    private static void Packet(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        // The first byte chooses the link layer.
        ReadOnlySpan<byte> frame = input[1..];
        int linkType = s_links[input[0] % s_links.Length].LinkType;
        if (LinkDecoder.Find(linkType, frame, out int offset) == PacketResult.Decoded)
        {
            ReadOnlySpan<byte> packet = frame[offset..];
            PacketResult result = PacketDecoder.Decode(packet, out PacketTuple tuple);
            Must.Be(result != PacketResult.Decoded || tuple.Key.Family != FlowFamily.None, "What is decoded has a family.");
            int headers = packet.Length / 2;
            PacketDecoder.TryDecode(packet[..headers], packet[headers..], out _);
        }
    }

    private static void Pcap(string path)
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        try
        {
            using PcapRunner runner = new(path, new CaptureOptions { Source = CaptureSource.Packet, PcapPath = path }, collector, new CaptureNotices());
            runner.Run(() => { });
        }
        catch (ConntrackException error) when (error.Reason is ConntrackErrorReason.PcapInvalid or ConntrackErrorReason.LinkTypeUnknown)
        {
            // Said to be no capture file.
        }

        CollectedFlows.WriteAll(collector);
    }

    private static IEnumerable<byte[]> Frames(byte[][] packets)
    {
        for (int i = 0; i < s_links.Length; i++)
        {
            byte[] header = HeaderOf(s_links[i]);
            foreach (byte[] packet in packets)
            {
                yield return [(byte)i, .. header, .. packet];
            }
        }
    }

    private static byte[] FileOf((int LinkType, int FileLinkType, string Header) link, byte[][] packets)
    {
        List<byte> file = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, .. new byte[8], 0, 0, 4, 0, .. Number(link.FileLinkType)];
        byte[] header = HeaderOf(link);
        for (int i = 0; i < packets.Length; i++)
        {
            int length = header.Length + packets[i].Length;
            file.AddRange([.. Number(1_750_000_000 + i), .. Number(i), .. Number(length), .. Number(length), .. header, .. packets[i]]);
        }

        return [.. file];
    }

    private static byte[] HeaderOf((int LinkType, int FileLinkType, string Header) link) =>
        Convert.FromHexString(link.Header.Replace(" ", "", StringComparison.Ordinal));

    private static byte[] Number(int number) => BitConverter.GetBytes(number);
}
