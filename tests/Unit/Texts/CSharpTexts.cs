using System.Text;

namespace Conntracker.Tests.Unit.Texts;

/// <summary>
/// Finds the string literals and the comments of C# source code. It knows every kind of string (regular, verbatim, raw, interpolated, and strings
/// within the expressions of an interpolated one), and nothing else of the language. Literals that are joined with + are separate.
/// </summary>
internal sealed class CSharpTexts
{
    private readonly string _source;
    private readonly List<SourceText> _found = [];
    private int _at;

    private CSharpTexts(string source) => _source = source;

    /// <summary>The texts in the order of their ends.</summary>
    public static IReadOnlyList<SourceText> Of(string source)
    {
        CSharpTexts texts = new(source);
        texts.ReadCode(isExpression: false);
        return texts._found;
    }

    // Up to the end of the file, or of the expression: before the brace that closes it.
    private void ReadCode(bool isExpression)
    {
        int depth = 0;
        while (_at < _source.Length)
        {
            char now = _source[_at];
            if (StartsWith("//"))
            {
                ReadTo(SourceTextKind.Comment, "\n");
            }
            else if (StartsWith("/*"))
            {
                ReadTo(SourceTextKind.Comment, "*/");
            }
            else if (now == '#' && IsFirstOfLine())
            {
                _at = IndexOf("\n");
            }
            else if (now == '\'')
            {
                SkipCharacter();
            }
            else if (now is '"' or '$' or '@' && TryReadString())
            {
            }
            else if (isExpression && now == '}' && depth == 0)
            {
                return;
            }
            else
            {
                depth += now is '{' ? 1 : now is '}' ? -1 : 0;
                _at++;
            }
        }
    }

    // At the dollars, the @ or the first quote; false when there is no string here, as at @class.
    private bool TryReadString()
    {
        int quote = _at;
        while (quote < _source.Length && _source[quote] is '$' or '@')
        {
            quote++;
        }

        if (quote == _source.Length || _source[quote] != '"')
        {
            return false;
        }

        string prefix = _source[_at..quote];
        int quotes = Run('"', quote);
        _at = quote;
        if (quotes >= 3)
        {
            _at += quotes;
            ReadContent(prefix.Length, new string('"', quotes), isVerbatim: true, canDoubleQuote: false);
        }
        else
        {
            _at++;
            bool isVerbatim = prefix.Contains('@', StringComparison.Ordinal);
            ReadContent(prefix.Contains('$', StringComparison.Ordinal) ? 1 : 0, "\"", isVerbatim, canDoubleQuote: isVerbatim);
        }

        return true;
    }

    // Braces: how many of them open an expression; 0 for a string without expressions.
    private void ReadContent(int braces, string end, bool isVerbatim, bool canDoubleQuote)
    {
        int line = Line();
        StringBuilder text = new();
        while (_at < _source.Length)
        {
            if (StartsWith(end))
            {
                // In a raw string the last quotes are the end: those before them belong to the text.
                int extra = end.Length > 1 ? Run('"', _at) - end.Length : 0;
                if (!canDoubleQuote || !StartsWith("\"\""))
                {
                    _at += end.Length + extra;
                    break;
                }

                text.Append('"');
                _at += 2;
            }
            else if (!isVerbatim && _source[_at] == '\\')
            {
                text.Append(' ');
                _at += 2;
            }
            else if (braces > 0 && _source[_at] == '{')
            {
                int run = Run('{', _at);
                bool isExpression = end.Length > 1 ? run >= braces : run % 2 == 1;
                _at += run;
                if (isExpression)
                {
                    ReadCode(isExpression: true);
                    _at = Math.Min(_at + braces, _source.Length);
                }

                text.Append("{}");
            }
            else
            {
                text.Append(_source[_at++]);
            }
        }

        _found.Add(new SourceText(SourceTextKind.Literal, line, text.ToString()));
    }

    private void ReadTo(SourceTextKind kind, string end)
    {
        int line = Line();
        int stop = IndexOf(end);
        _found.Add(new SourceText(kind, line, _source[_at..stop]));
        _at = Math.Min(stop + end.Length, _source.Length);
    }

    private void SkipCharacter()
    {
        for (_at++; _at < _source.Length && _source[_at] is not ('\'' or '\n'); _at++)
        {
            _at += _source[_at] == '\\' ? 1 : 0;
        }

        _at++;
    }

    private bool StartsWith(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    private int IndexOf(string text) => _source.IndexOf(text, _at, StringComparison.Ordinal) is int found and >= 0 ? found : _source.Length;

    private bool IsFirstOfLine() => string.IsNullOrWhiteSpace(_source[(_source.LastIndexOf('\n', Math.Max(_at - 1, 0)) + 1).._at]);

    private int Run(char character, int start)
    {
        int end = start;
        while (end < _source.Length && _source[end] == character)
        {
            end++;
        }

        return end - start;
    }

    private int Line() => _source.AsSpan(0, _at).Count('\n') + 1;
}
