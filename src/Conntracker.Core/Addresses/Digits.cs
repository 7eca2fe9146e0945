namespace Conntracker.Core.Addresses;

/// <summary>Decimal numbers in UTF-8, by hand: the library's general formatter costs several times as much on numbers this small.</summary>
internal static class Digits
{
    /// <summary>Writes a number; returns how many digits it took.</summary>
    public static int Write(Span<byte> to, uint value)
    {
        int digits = Count(value);
        for (int i = digits - 1; i >= 0; i--)
        {
            (value, uint digit) = Math.DivRem(value, 10);
            to[i] = (byte)('0' + digit);
        }

        return digits;
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
