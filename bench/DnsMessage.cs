using System.Buffers.Binary;

namespace Conntracker.Bench;

/// <summary>A query for the IPv4 address of a host of example.com, and its answer: programs that print packets look into both.</summary>
internal static class DnsMessage
{
    public const int Port = 53;
    private const int HeaderLength = 12;
    private const int AnswerLength = 16;

    /// <summary>A label of the length 4, which gets its digits, and the rest of the name; type A, class IN.</summary>
    private static ReadOnlySpan<byte> Question => "\u0004h\0\0\0\u0007example\u0003com\0\0\u0001\0\u0001"u8;

    /// <summary>Its length in bytes.</summary>
    public static int Length(bool isAnswer) => HeaderLength + Question.Length + (isAnswer ? AnswerLength : 0);

    /// <summary>Writes it.</summary>
    public static void Write(Span<byte> message, uint host, bool isAnswer)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message, (ushort)host);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], (ushort)(isAnswer ? 0x8180 : 0x0100));
        message[5] = 1;
        message[7] = (byte)(isAnswer ? 1 : 0);
        Span<byte> question = message[HeaderLength..];
        Question.CopyTo(question);
        for (int i = 0; i < 3; i++, host /= 10)
        {
            question[4 - i] = (byte)('0' + (host % 10));
        }

        if (isAnswer)
        {
            // The name again, by where it stands; type A, class IN, 300 s, four bytes.
            ReadOnlySpan<byte> answer = [0xc0, HeaderLength, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 18, 0, 1];
            answer.CopyTo(question[Question.Length..]);
        }
    }
}
