using System.Globalization;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// Splits nft's output into lines, and the insides of blocks into statements, which may span several lines. A quote and a brace have a meaning only
/// at the beginning of a word: nft prints a log prefix with quotes in it, and a chain's name with braces in it, unescaped.
/// </summary>
internal ref struct NftStatementReader
{
    private const string HandleWord = " # handle ";
    private readonly ReadOnlySpan<char> _text;
    private int _position;

    public NftStatementReader(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Removes the handle that <c>nft -a</c> appends from a line's end.</summary>
    /// <param name="line">The line.</param>
    /// <param name="handle">The handle; null when there is none.</param>
    public static ReadOnlySpan<char> WithoutHandle(ReadOnlySpan<char> line, out ulong? handle)
    {
        int at = line.LastIndexOf(HandleWord, StringComparison.Ordinal);
        bool isHandle = ulong.TryParse(at < 0 ? default : line[(at + HandleWord.Length)..], NumberStyles.None, CultureInfo.InvariantCulture, out ulong number);
        handle = isHandle ? number : null;
        return isHandle ? line[..at] : line;
    }

    /// <summary>A line as <c>nft -a</c> would print it.</summary>
    public static string WithHandle(string line, ulong handle) => string.Create(CultureInfo.InvariantCulture, $"{line}{HandleWord}{handle}");

    /// <summary>Reads a line, white space at both ends left out.</summary>
    /// <returns>False at the end of the text.</returns>
    public bool TryReadLine(out ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> rest = _text[_position..];
        int length = rest.IndexOf('\n');
        line = (length < 0 ? rest : rest[..length]).Trim();
        _position += length < 0 ? rest.Length : length + 1;
        return !rest.IsEmpty;
    }

    /// <summary>Reads a statement.</summary>
    /// <returns>False at the end of the text.</returns>
    public bool TryReadStatement(out NftStatement statement)
    {
        statement = default;
        if (_position >= _text.Length)
        {
            return false;
        }

        int start = _position;
        int depth = 0;
        int comment = -1;
        int commentEnd = -1;

        // The word before the current one, and the one before that.
        Range last = default;
        Range previous = default;
        int at = start;
        while (at < _text.Length && !IsEnd(at, depth))
        {
            if (char.IsWhiteSpace(_text[at]))
            {
                at++;
                continue;
            }

            int end = _text[at] == '"' ? EndOfString(at) : EndOfWord(at);
            ReadOnlySpan<char> word = _text[at..end];
            if (depth == 0)
            {
                statement.Rejects |= IsReject(word, _text[last], _text[previous]);
                if (word[0] == '"' && _text[last] is "comment")
                {
                    (comment, commentEnd) = (last.Start.Value, end);
                    statement.Comment = word[1..^(word.Length > 1 ? 1 : 0)];
                }
            }

            depth += word is "{" ? 1 : word is "}" or "}," or "};" && depth > 0 ? -1 : 0;
            (previous, last) = (last, at..end);
            at = end;
        }

        _position = Math.Min(at + 1, _text.Length);
        ReadOnlySpan<char> line = WithoutHandle(_text[start..at], out statement.Handle);

        // A comment is the last part of a rule; a log prefix may look like one.
        statement.HasComment = statement.Handle is not null && comment >= 0 && line.TrimEnd().Length == commentEnd - start;
        statement.Text = (statement.HasComment ? _text[start..comment] : line).Trim();
        return true;
    }

    private static bool IsReject(ReadOnlySpan<char> word, ReadOnlySpan<char> last, ReadOnlySpan<char> previous) =>
        (word is "reject" && last is not ("jump" or "goto"))
        || (word is "REJECT" or "\"REJECT\"" && last is "target" && previous is "xt");

    // Inside braces a statement continues as long as lines have the indent of a rule; a block's own brace does not.
    private readonly bool IsEnd(int at, int depth) =>
        _text[at] == '\n' && (depth == 0 || !_text[(at + 1)..].StartsWith("\t\t", StringComparison.Ordinal));

    private readonly int EndOfWord(int at)
    {
        int length = _text[at..].IndexOfAny(" \t\r\n");
        return length < 0 ? _text.Length : at + Math.Max(length, 1);
    }

    // A comment may contain line feeds, and nft escapes nothing: a quote that a log prefix opened may never be closed. So a line that ends with a
    // handle also ends the string, when the next line looks like nft's own.
    private readonly int EndOfString(int at)
    {
        for (int lineStart = at + 1; ;)
        {
            int length = _text[lineStart..].IndexOfAny('"', '\n');
            if (length < 0)
            {
                return _text.Length;
            }

            int end = lineStart + length;
            if (_text[end] == '"')
            {
                return end + 1;
            }

            int text = WithoutHandle(_text[lineStart..end], out ulong? handle).Length;
            if (handle is not null && end + 1 < _text.Length && _text[end + 1] == '\t')
            {
                return lineStart + text;
            }

            lineStart = end + 1;
        }
    }
}
