namespace Conntracker.Core.Addresses;

/// <summary>Decimal numbers in UTF-8. Written by hand: on numbers this small, .NET's general formatter costs several times as much.</summary>
internal static class Digits
{
    /// <summary>Writes a number; returns the number of digits.</summary>
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

    /// <summary>Reads digits and nothing else. Leading zeros are refused, because some programs read them as octal.</summary>
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
