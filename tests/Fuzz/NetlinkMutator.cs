using System.Buffers.Binary;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// Changes a netlink message by its attributes: their lengths, types and values, one twice, one taken out. Mostly the message's own length is set right
/// afterwards, because a reader looks no further when it is wrong.
/// </summary>
/// <param name="fixedLength">Bytes between the message's header and its first attribute.</param>
internal sealed class NetlinkMutator(int fixedLength) : IMutator
{
    private const int HeaderLength = 16;
    private const int AttributeHeader = 4;
    private const int MaximumDepth = 4;

    private readonly ByteMutator _bytes = new();

    /// <inheritdoc/>
    public void Mutate(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random)
    {
        for (int changes = 1 + random.Next(4); changes > 0; changes--)
        {
            if (random.OneIn(3) || !MutateAttribute(input, ref random))
            {
                _bytes.MutateOnce(input, other, ref random);
            }
        }

        if (random.OneIn(8))
        {
            _bytes.Mutate(input, other, ref random);
        }

        if (input.Length >= sizeof(uint) && !random.OneIn(8))
        {
            BinaryPrimitives.WriteInt32LittleEndian(input.Bytes, input.Length);
        }
    }

    private bool MutateAttribute(FuzzInput input, ref FuzzRandom random)
    {
        int at = -1;
        int seen = 0;
        Choose(input.Bytes, HeaderLength + fixedLength, input.Length, 0, ref at, ref seen, ref random);
        if (at < 0)
        {
            return false;
        }

        Span<byte> attribute = input.Bytes[at..];
        int length = BinaryPrimitives.ReadUInt16LittleEndian(attribute);
        int padded = Math.Min((length + 3) & ~3, attribute.Length);
        switch (random.Next(7))
        {
            case 0:
                BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(length + random.Next(17) - 8));
                break;
            case 1:
                BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(random.OneIn(2) ? random.Next(8) : random.Next(1 << 16)));
                break;
            case 2:
                attribute[2] = (byte)random.Next(32);
                attribute[3] = (byte)(random.OneIn(2) ? 0x80 : 0);
                break;
            case 3 when length > AttributeHeader:
                ref byte value = ref attribute[AttributeHeader + random.Next(length - AttributeHeader)];
                value = random.OneIn(2) ? (byte)random.Next() : random.OneIn(2) ? (byte)0 : (byte)0xff;
                break;
            case 4:
                input.Repeat(at, at, padded, 1 + random.Next(2));
                break;
            case 5:
                input.Remove(at, padded);
                break;
            default:
                // Shorter or longer by a bit, and its length says so.
                BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(length + AttributeHeader));
                input.Repeat(at + Math.Min(AttributeHeader, attribute.Length), at, AttributeHeader, 1);
                break;
        }

        return true;
    }

    // Any attribute of any level, each as likely as the others.
    private static void Choose(ReadOnlySpan<byte> message, int start, int end, int depth, ref int chosen, ref int seen, ref FuzzRandom random)
    {
        while (start + AttributeHeader <= end)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(message[start..]);
            if (length < AttributeHeader || start + length > end)
            {
                return;
            }

            if (random.OneIn(++seen))
            {
                chosen = start;
            }

            // The kernel marks what is nested, where it is recent enough.
            if ((message[start + 3] & 0x80) != 0 && depth < MaximumDepth)
            {
                Choose(message, start + AttributeHeader, start + length, depth + 1, ref chosen, ref seen, ref random);
            }

            start += (length + 3) & ~3;
        }
    }
}
