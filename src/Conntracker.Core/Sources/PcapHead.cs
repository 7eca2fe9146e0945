using System.Buffers.Binary;

namespace Conntracker.Core.Sources;

/// <summary>Tells capture files (pcap, pcapng) by their first bytes. Whether the rest is sound only reading it shows.</summary>
internal static class PcapHead
{
    // Shorter than the head of either format no file can be one. A pipe has no length: it is not opened, which could wait for ever.
    private const int ShortestHead = 24;

    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint SectionByteOrder = 0x1A2B3C4D;

    // Of pcap: times in microseconds, in nanoseconds, and with the longer packet heads of an old Linux. libpcap reads these three.
    private static readonly uint[] s_pcap = [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34];

    /// <summary>Whether the file is one of them; false when it cannot be read, or is not there.</summary>
    public static bool IsPcap(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists || file.Length < ShortestHead)
            {
                return false;
            }

            Span<byte> head = stackalloc byte[ShortestHead];
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return stream.ReadAtLeast(head, ShortestHead, throwOnEndOfStream: false) == ShortestHead && IsPcap(head);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether a file that begins so is one of them. Files have the byte order of the machine that wrote them.</summary>
    internal static bool IsPcap(ReadOnlySpan<byte> head)
    {
        if (head.Length < ShortestHead)
        {
            return false;
        }

        uint little = BinaryPrimitives.ReadUInt32LittleEndian(head);
        uint big = BinaryPrimitives.ReadUInt32BigEndian(head);
        return Array.IndexOf(s_pcap, little) >= 0
            || Array.IndexOf(s_pcap, big) >= 0
            || (little == SectionHeader
                && (BinaryPrimitives.ReadUInt32LittleEndian(head[8..]) == SectionByteOrder || BinaryPrimitives.ReadUInt32BigEndian(head[8..]) == SectionByteOrder));
    }
}
