using System.Text;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// The words of an iptables-save line. A word with white space or special characters is in double quotes, in which a backslash escapes the next
/// character; a quote inside a word (a chain's name may have one) is an ordinary character.
/// </summary>
internal ref struct IptablesTokens
{
    private ReadOnlySpan<char> _rest;

    public IptablesTokens(ReadOnlySpan<char> line) => _rest = line;

    /// <summary>The unread rest, without white space at both ends.</summary>
    public readonly ReadOnlySpan<char> Rest => _rest.Trim();

    /// <summary>The next word with its quotes; empty at the end.</summary>
    public ReadOnlySpan<char> Next()
    {
        _rest = _rest.TrimStart();
        int length = Math.Min(Length(_rest) ?? _rest.Length, _rest.Length);
        ReadOnlySpan<char> word = _rest[..length];
        _rest = _rest[length..];
        return word;
    }

    /// <summary>The end of the first line of a text: the first line feed outside of strings. Null when a string is never closed.</summary>
    public readonly int? EndOfLine()
    {
        int at = 0;
        while (at < _rest.Length && _rest[at] != '\n')
        {
            if (char.IsWhiteSpace(_rest[at]))
            {
                at++;
            }
            else if (Length(_rest[at..]) is int length)
            {
                at += length;
            }
            else
            {
                return null;
            }
        }

        return at;
    }

    /// <summary>The value of a word: without quotes and backslashes.</summary>
    public static string Unquote(ReadOnlySpan<char> word)
    {
        if (word is not ['"', ..])
        {
            return word.ToString();
        }

        StringBuilder text = new(word.Length);
        for (int i = 1; i < word.Length && word[i] != '"'; i++)
        {
            if (word[i] == '\\' && i + 1 < word.Length)
            {
                i++;
            }

            text.Append(word[i]);
        }

        return text.ToString();
    }

    // Null for a string that is never closed.
    private static int? Length(ReadOnlySpan<char> text)
    {
        if (text is not ['"', ..])
        {
            int length = text.IndexOfAny(" \t\r\n");
            return length < 0 ? text.Length : length;
        }

        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                return i + 1;
            }
        }

        return null;
    }
}
