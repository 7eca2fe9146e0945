using System.Buffers.Binary;

namespace Conntracker;

/// <summary>Recognises capture files (pcap, pcapng) by their first bytes. Only reading shows whether the rest is sound.</summary>
public static class CaptureFile
{
    // The header of either format has at least this length. A pipe has no length and is not opened: that could block.
    private const int ShortestHeader = 24;

    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint SectionByteOrder = 0x1A2B3C4D;

    // The magic numbers of pcap: microseconds, nanoseconds, and the longer packet headers of an old Linux. libpcap reads all three.
    private static readonly uint[] s_pcap = [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34];

    /// <summary>True for a capture file; false for any other file, and for one that cannot be read or does not exist.</summary>
    public static bool IsPcap(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists || file.Length < ShortestHeader)
            {
                return false;
            }

            Span<byte> header = stackalloc byte[ShortestHeader];
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return stream.ReadAtLeast(header, ShortestHeader, throwOnEndOfStream: false) == ShortestHeader && IsPcap(header);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>True for the first bytes of a capture file. Files have the byte order of the machine that wrote them.</summary>
    internal static bool IsPcap(ReadOnlySpan<byte> header)
    {
        if (header.Length < ShortestHeader)
        {
            return false;
        }

        uint little = BinaryPrimitives.ReadUInt32LittleEndian(header);
        uint big = BinaryPrimitives.ReadUInt32BigEndian(header);
        return Array.IndexOf(s_pcap, little) >= 0
            || Array.IndexOf(s_pcap, big) >= 0
            || (little == SectionHeader
                && (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == SectionByteOrder
                    || BinaryPrimitives.ReadUInt32BigEndian(header[8..]) == SectionByteOrder));
    }
}
