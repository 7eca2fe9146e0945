namespace Conntracker.Core.Export;

/// <summary>Decimal numbers in UTF-8, by hand: the library's general formatter costs several times as much on numbers this small.</summary>
internal static class Digits
{
    /// <summary>Writes a number; returns how many digits it took.</summary>
    public static int Write(Span<byte> to, uint value)
    {
        int digits = Count(value);
        WriteEndingAt(to, digits, value);
        return digits;
    }

    /// <summary>Writes a number so that its last digit stands before <paramref name="end"/>; what stands in front is left as it is.</summary>
    public static void WriteEndingAt(Span<byte> to, int end, uint value)
    {
        do
        {
            (value, uint digit) = Math.DivRem(value, 10);
            to[--end] = (byte)('0' + digit);
        }
        while (value != 0);
    }

    /// <summary>Reads digits and nothing else; no leading zeros, which some programs take for octal.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out uint value)
    {
        value = 0;
        if (text.Length is 0 or > 10 || (text[0] == '0' && text.Length > 1))
        {
            return false;
        }

        ulong sum = 0;
        foreach (byte digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            sum = (sum * 10) + (ulong)(digit - '0');
        }

        value = (uint)sum;
        return sum <= uint.MaxValue;
    }

    private static int Count(uint value)
    {
        int digits = 1;
        while (value >= 10)
        {
            value /= 10;
            digits++;
        }

        return digits;
    }
}
