using System.Buffers.Binary;

namespace Conntracker.Tests.Fuzz;

/// <summary>Changes an input without knowing its format: bits, bytes, numbers, cuts, insertions, repetitions, splices, and words of the format.</summary>
/// <param name="words">Words that the format knows; may be empty.</param>
internal sealed class ByteMutator(params byte[][] words) : IMutator
{
    private const int Kinds = 15;
    private const int LongestPart = 64;

    private static readonly uint[] s_numbers =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 31, 32, 64, 127, 128, 255, 256, 1023, 4096,
        0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    ];

    /// <inheritdoc/>
    public void Mutate(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        // Mostly few changes, so that what is behind the first check is reached; sometimes many.
        int changes = random.Next(8) switch
        {
            < 3 => 1,
            < 6 => 1 + random.Next(4),
            6 => 1 + random.Next(16),
            _ => 1 + random.Next(64),
        };
        for (; changes > 0; changes--)
        {
            MutateOnce(input, other, ref random);
        }
    }

    /// <summary>Makes one change.</summary>
    public void MutateOnce(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        if (input.Length == 0)
        {
            input.Set(other);
            return;
        }

        int at = random.Next(input.Length);
        int part = Math.Min(1 + random.Next(LongestPart), input.Length - at);
        Span<byte> rest = input.Bytes[at..];
        switch (random.Next(Kinds))
        {
            case 0 or 1:
                rest[0] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                rest[0] = (byte)random.Next();
                break;
            case 3:
                rest[0] += (byte)(random.Next(33) - 16);
                break;
            case 4:
                SetNumber(rest, random.OneIn(2) ? sizeof(ushort) : sizeof(uint), Number(input.Length, at, ref random), random.OneIn(2));
                break;
            case 5:
                input.Cut(at);
                break;
            case 6:
                input.Remove(at, part);
                break;
            case 7:
                Span<byte> noise = stackalloc byte[1 + random.Next(16)];
                foreach (ref byte each in noise)
                {
                    each = (byte)random.Next();
                }

                input.Insert(at, noise);
                break;
            case 8:
                input.Repeat(random.Next(input.Length), at, part, 1);
                break;
            case 9:
                // Rarely very often: what takes time that grows with the square of the length shows.
                input.Repeat(at, at, part, random.OneIn(16) ? 1 + random.Next(4096) : 1 + random.Next(8));
                break;
            case 10 when other.Length > 0:
                input.Cut(at);
                input.Insert(at, other[random.Next(other.Length)..]);
                break;
            case 11 when other.Length > 0:
                int start = random.Next(other.Length);
                input.Insert(at, other.Slice(start, Math.Min(1 + random.Next(LongestPart), other.Length - start)));
                break;
            case 12 or 13 when words.Length > 0:
                input.Insert(at, words[random.Next(words.Length)]);
                break;
            case 14 when words.Length > 0:
                byte[] word = words[random.Next(words.Length)];
                word.AsSpan(0, Math.Min(word.Length, rest.Length)).CopyTo(rest);
                break;
            default:
                rest[..part].Fill((byte)random.Next());
                break;
        }
    }

    // A number that is of interest anywhere, or one near the input's length or what remains of it.
    private static uint Number(int length, int at, ref FuzzRandom random) => random.Next(4) switch
    {
        0 => (uint)(length + random.Next(9) - 4),
        1 => (uint)(length - at + random.Next(9) - 4),
        _ => s_numbers[random.Next(s_numbers.Length)],
    };

    private static void SetNumber(Span<byte> target, int size, uint number, bool isBigEndian)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, size == sizeof(ushort) ? number << 16 : number);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        }

        bytes[..Math.Min(size, target.Length)].CopyTo(target);
    }
}
