using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>The bytes of a recording: lays them out, and walks over them. The frames' layout is <see cref="RecordingFormat"/>'s.</summary>
internal static class RecordingBytes
{
    /// <summary>Bytes before a frame's data: length, kind, time, checksum.</summary>
    public const int MessageHeader = RecordingFormat.MessageHeaderLength;

    /// <summary>Where the kind stands in a frame.</summary>
    public const int KindAt = 4;

    /// <summary>Where the time stands in a frame.</summary>
    public const int TimeAt = 5;

    private const int ChecksumAt = 13;

    /// <summary>A whole recording.</summary>
    public static byte[] Of(IEnumerable<RecordedMessage> frames)
    {
        byte[] kernel = Encoding.ASCII.GetBytes("Linux 6.18.0 x86_64");
        List<byte> file =
        [
            .. RecordingFormat.Magic, .. BitConverter.GetBytes(RecordingFormat.Version), .. BitConverter.GetBytes((ushort)(sizeof(long) + kernel.Length)),
            .. BitConverter.GetBytes(new DateTime(2026, 1, 1).Ticks), .. kernel,
        ];
        file.AddRange(BitConverter.GetBytes(RecordingFormat.Checksum(0, file.ToArray())));
        foreach (RecordedMessage each in frames)
        {
            byte[] header = [.. BitConverter.GetBytes(each.Data.Length), each.Kind, .. BitConverter.GetBytes(each.Time)];
            file.AddRange([.. header, .. BitConverter.GetBytes(RecordingFormat.Checksum(RecordingFormat.Checksum(0, header), each.Data)), .. each.Data]);
        }

        return [.. file];
    }

    /// <summary>Where the first frame begins; -1 when there is no room for one.</summary>
    public static int FirstFrame(ReadOnlySpan<byte> file)
    {
        int start = file.Length < RecordingFormat.FixedHeaderLength ? file.Length
            : RecordingFormat.FixedHeaderLength + BinaryPrimitives.ReadUInt16LittleEndian(file[10..]) + sizeof(uint);
        return start + MessageHeader <= file.Length ? start : -1;
    }

    /// <summary>Where the frame behind a frame begins; -1 when there is none.</summary>
    public static int NextFrame(ReadOnlySpan<byte> file, int start)
    {
        long next = (long)start + MessageHeader + DataLength(file, start);
        return next >= start + MessageHeader && next + MessageHeader <= file.Length ? (int)next : -1;
    }

    /// <summary>What a frame says of its length, which may be anything.</summary>
    public static int DataLength(ReadOnlySpan<byte> file, int start) => BinaryPrimitives.ReadInt32LittleEndian(file[start..]);

    /// <summary>Any frame, each as likely as the others; -1 when there is none.</summary>
    public static int Choose(ReadOnlySpan<byte> file, ref FuzzRandom random)
    {
        int chosen = -1;
        int seen = 0;
        for (int start = FirstFrame(file); start >= 0; start = NextFrame(file, start))
        {
            chosen = random.OneIn(++seen) ? start : chosen;
        }

        return chosen;
    }

    /// <summary>Sets all checksums right; a reader looks no further behind one that is wrong.</summary>
    public static void SetChecksums(Span<byte> file)
    {
        int first = FirstFrame(file);
        if (first >= 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file[(first - sizeof(uint))..], RecordingFormat.Checksum(0, file[..(first - sizeof(uint))]));
        }

        for (int start = first; start >= 0; start = NextFrame(file, start))
        {
            Span<byte> data = file[(start + MessageHeader)..];
            if (DataLength(file, start) is >= 0 and int length && length <= data.Length)
            {
                uint sum = RecordingFormat.Checksum(RecordingFormat.Checksum(0, file.Slice(start, ChecksumAt)), data[..length]);
                BinaryPrimitives.WriteUInt32LittleEndian(file[(start + ChecksumAt)..], sum);
            }
        }
    }
}
