using System.Buffers.Binary;

namespace Conntracker.Bench;

/// <summary>
/// Makes a capture file (pcap, Ethernet, 128 bytes of each packet) of what a busy link carries: 2,000 conversations at a time, IPv4 and IPv6,
/// of ten packets on average, 10,000 packets a second. The same every time.
/// </summary>
internal static class PacketFile
{
    private const int SnapLength = 128;
    private const int RecordHeader = 16;
    private const int AtATime = 2_000;
    private const int MicrosecondsBetween = 100;
    private const long FirstSecond = 1_700_000_000;

    /// <summary>Writes it.</summary>
    /// <returns>How many packets, flows and bytes are in it.</returns>
    public static ChildResult Write(string path, int packets)
    {
        Random random = new(1);
        Conversation[] open = new Conversation[AtATime];
        int begun = 0;
        for (int i = 0; i < open.Length; i++)
        {
            open[i] = new Conversation(begun++, random);
        }

        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        WriteFileHeader(file);
        HashSet<int> silent = [.. Enumerable.Range(0, AtATime)];
        Span<byte> record = stackalloc byte[RecordHeader + 2048];
        for (int i = 0; i < packets; i++)
        {
            int chosen = random.Next(AtATime);
            if (open[chosen].IsOver)
            {
                open[chosen] = new Conversation(begun++, random);
            }

            silent.Remove(chosen);
            record.Clear();
            int length = open[chosen].WriteNext(record[RecordHeader..], random);
            int kept = Math.Min(length, SnapLength);
            WriteRecordHeader(record, (long)i * MicrosecondsBetween, kept, length);
            file.Write(record[..(RecordHeader + kept)]);
        }

        // To the disk now: while the file is read, nothing else is to be done.
        file.Flush(flushToDisk: true);
        return new ChildResult { Events = packets, Flows = begun - silent.Count, Bytes = file.Length };
    }

    private static void WriteFileHeader(FileStream file)
    {
        const uint Microseconds = 0xa1b2c3d4;
        const int Ethernet = 1;
        Span<byte> header = stackalloc byte[24];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Microseconds);
        header[4] = 2;
        header[6] = 4;
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], SnapLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], Ethernet);
        file.Write(header);
    }

    private static void WriteRecordHeader(Span<byte> record, long microseconds, int kept, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(FirstSecond + (microseconds / 1_000_000)));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(microseconds % 1_000_000));
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], kept);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], length);
    }
}
