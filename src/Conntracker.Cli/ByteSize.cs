using System.Globalization;

namespace Conntracker.Cli;

/// <summary>Sizes as users write them: <c>4096</c>, <c>512K</c>, <c>64M</c>, <c>1G</c>; powers of 1024.</summary>
internal static class ByteSize
{
    /// <summary>Reads a size; false when the text is not a size, or above 2 GiB - 1.</summary>
    public static bool TryParse(string text, out int bytes)
    {
        bytes = 0;
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        ReadOnlySpan<char> digits = shift == 0 ? text : text.AsSpan(0, text.Length - 1);
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count) || count > int.MaxValue >> shift)
        {
            return false;
        }

        bytes = (int)(count << shift);
        return true;
    }
}
