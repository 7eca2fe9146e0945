using System.Buffers.Binary;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Changes a recording frame by frame, and mostly sets the checksums right afterwards.</summary>
internal sealed class RecordingMutator : IMutator
{
    private readonly ByteMutator _bytes = new();

    /// <inheritdoc/>
    public void Mutate(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        for (int changes = 1 + random.Next(random.OneIn(4) ? 32 : 4); changes > 0; changes--)
        {
            if (!MutateFrame(input, other, ref random))
            {
                _bytes.MutateOnce(input, other, ref random);
            }
        }

        if (!random.OneIn(16))
        {
            RecordingBytes.SetChecksums(input.Bytes);
        }
    }

    private static bool MutateFrame(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        int start = RecordingBytes.Choose(input.Bytes, ref random);
        int length = start < 0 ? -1 : RecordingBytes.DataLength(input.Bytes, start);
        int dataAt = start + RecordingBytes.MessageHeader;
        if (length < 0 || length > input.Length - dataAt)
        {
            return false;
        }

        Span<byte> frame = input.Bytes.Slice(start, RecordingBytes.MessageHeader + length);
        Span<byte> data = input.Bytes.Slice(dataAt, length);
        switch (random.Next(10))
        {
            case 0 or 1 or 2 when length > 0:
                data[random.Next(length)] ^= (byte)(1 << random.Next(8));
                break;
            case 3 or 4 when length > 0:
                data[random.Next(length)] = (byte)random.Next();
                break;
            case 5 when length > 0:
                // Shorter, and it says so.
                int less = 1 + random.Next(length);
                BinaryPrimitives.WriteInt32LittleEndian(frame, length - less);
                input.Remove(dataAt + length - less, less);
                break;
            case 6:
                input.Repeat(start, start, frame.Length, 1 + random.Next(random.OneIn(8) ? 64 : 2));
                break;
            case 7:
                input.Remove(start, frame.Length);
                break;
            case 8:
                InsertOther(input, start, other, ref random);
                break;
            default:
                if (random.OneIn(4))
                {
                    frame[RecordingBytes.KindAt] = (byte)random.Next(33);
                }
                else
                {
                    Span<byte> time = frame[RecordingBytes.TimeAt..];
                    BinaryPrimitives.WriteInt64LittleEndian(time, Time(BinaryPrimitives.ReadInt64LittleEndian(time), ref random));
                }

                break;
        }

        return true;
    }

    private static void InsertOther(FuzzInput input, int at, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        int start = RecordingBytes.Choose(other, ref random);
        if (start >= 0)
        {
            int length = RecordingBytes.MessageHeader + RecordingBytes.DataLength(other, start);
            input.Insert(at, other.Slice(start, Math.Min(length, other.Length - start)));
        }
    }

    private static long Time(long time, ref FuzzRandom random) => random.Next(8) switch
    {
        0 => 0,
        1 => DateTime.MaxValue.Ticks,
        2 => -1,
        3 => long.MaxValue,
        4 => (long)(random.Next() >> 2) % DateTime.MaxValue.Ticks,
        _ => time + ((long)random.Next(2_000_001) - 1_000_000) * TimeSpan.TicksPerMillisecond,
    };
}
