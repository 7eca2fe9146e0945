using System.Globalization;
using System.Text;

namespace Conntracker.Core.Model;

/// <summary>
/// Makes names from elsewhere (processes, users, chains) safe for a line of text. A process chooses its own name: it must
/// not be able to forge a line, or to send control sequences to the terminal on which the log is read.
/// </summary>
internal static class SafeText
{
    private const char Substitute = '_';

    /// <summary>A name for the suffix of a flow's line, where commas and parentheses separate the fields.</summary>
    public static string InSuffix(string name) => Clean(name, ",()");

    /// <summary>A name for a trace line, where commas separate the fields.</summary>
    public static string InTrace(string name) => Clean(name, ",");

    /// <summary>Any text, on one line.</summary>
    public static string Printable(string text) => Clean(text, "");

    private static string Clean(string name, string separators)
    {
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (IsUnfit(rune, separators))
            {
                return Rewrite(name, separators);
            }
        }

        return name;
    }

    private static string Rewrite(string name, string separators)
    {
        StringBuilder clean = new(name.Length);
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (IsUnfit(rune, separators))
            {
                clean.Append(Substitute);
            }
            else
            {
                clean.Append(rune.ToString());
            }
        }

        return clean.ToString();
    }

    // Format characters too: they change the text direction, or are invisible. Half a surrogate pair arrives as the replacement character.
    private static bool IsUnfit(Rune rune, string separators) =>
        rune.IsAscii
            ? rune.Value is < ' ' or 0x7F || separators.Contains((char)rune.Value)
            : Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator || rune == Rune.ReplacementChar;
}
