using System.Text.RegularExpressions;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// The lines of a file on which its rules begin, by chain and in their order. It follows blocks and statements, not the whole grammar: the lines of a
/// chain count only if they are as many as the rules that the kernel has.
/// </summary>
internal static partial class RulesetLines
{
    /// <summary>The lines of a file of nft. What it includes is not followed.</summary>
    public static Dictionary<(string Family, string Table, string Chain), List<int>> OfNftables(string text)
    {
        Dictionary<(string Family, string Table, string Chain), List<int>> lines = [];
        (string Family, string Table)? table = null;
        string? chain = null;
        int depth = 0;
        foreach (Statement statement in Statements(text))
        {
            int inner = depth;
            depth += statement.Opens ? 1 : statement.Closes ? -1 : 0;
            if (statement.Closes)
            {
                chain = inner == 2 ? null : chain;
                table = inner == 1 ? null : table;
            }
            else if (inner == 0 && Table().Match(statement.Text) is { Success: true } named && statement.Opens)
            {
                table = (named.Groups["family"] is { Length: > 0 } family ? family.Value : "ip", named.Groups["name"].Value);
            }
            else if (inner == 0 && AddRule().Match(statement.Text) is { Success: true } added)
            {
                string of = added.Groups["family"] is { Length: > 0 } family ? family.Value : "ip";
                Add((of, added.Groups["table"].Value, added.Groups["chain"].Value), statement.Line);
            }
            else if (inner == 1 && table is not null && statement.Opens)
            {
                chain = Chain().Match(statement.Text) is { Success: true } header ? header.Groups["name"].Value : null;
            }
            else if (inner == 2 && table is (string Family, string Table) at && chain is not null && !statement.Opens && !Declaration().IsMatch(statement.Text))
            {
                Add((at.Family, at.Table, chain), statement.Line);
            }
        }

        return lines;

        void Add((string Family, string Table, string Chain) key, int line)
        {
            if (!lines.TryGetValue(key, out List<int>? list))
            {
                lines.Add(key, list = []);
            }

            list.Add(line);
        }
    }

    /// <summary>The lines of a file of iptables-save.</summary>
    /// <param name="text">The text.</param>
    /// <param name="family"><c>ip</c> or <c>ip6</c>.</param>
    public static Dictionary<(string Family, string Table, string Chain), List<int>> OfIptables(string text, string family)
    {
        Dictionary<(string Family, string Table, string Chain), List<int>> lines = [];
        string table = "";
        int number = 0;
        foreach (ReadOnlySpan<char> each in text.AsSpan().EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = each.Trim();
            if (line.StartsWith("*", StringComparison.Ordinal))
            {
                table = line[1..].ToString();
            }
            else if (Append().Match(line.ToString()) is { Success: true } added)
            {
                var key = (family, table, added.Groups["chain"].Value);
                if (!lines.TryGetValue(key, out List<int>? list))
                {
                    lines.Add(key, list = []);
                }

                list.Add(number);
            }
        }

        return lines;
    }

    // Statements end with a semicolon or the line; a brace that opens the block of a table or chain ends one too. Braces within a rule belong to it.
    private static IEnumerable<Statement> Statements(string file)
    {
        string text = WithoutComments(file);
        int line = 1;
        int start = 0;
        int first = 1;
        int braces = 0;
        bool isQuoted = false;
        for (int i = 0; i <= text.Length; i++)
        {
            char each = i == text.Length ? '\n' : text[i];
            isQuoted ^= each == '"';
            ReadOnlySpan<char> before = text.AsSpan(start, i - start);
            bool isBlock = each == '{' && !isQuoted && braces == 0 && BlockHeader().IsMatch(before.Trim());
            bool isClosing = each == '}' && !isQuoted && braces == 0;
            braces += isQuoted || isBlock ? 0 : each == '{' ? 1 : each == '}' && braces > 0 ? -1 : 0;
            bool isLineEnd = each == '\n' && !before.EndsWith("\\", StringComparison.Ordinal);
            if (!isQuoted && braces == 0 && (each == ';' || isLineEnd || isBlock || isClosing))
            {
                string statement = before.Trim().ToString();
                if (statement.Length > 0)
                {
                    yield return new Statement(statement, first + LeadingLines(text.AsSpan(start, i - start)), isBlock, false);
                }

                if (isClosing)
                {
                    yield return new Statement("", line, false, true);
                }

                start = i + 1;
                first = each == '\n' ? line + 1 : line;
            }

            line += each == '\n' ? 1 : 0;
        }
    }

    // Spaces in their place, so that lines stay.
    private static string WithoutComments(string text)
    {
        char[] kept = text.ToCharArray();
        bool isQuoted = false;
        bool isComment = false;
        for (int i = 0; i < kept.Length; i++)
        {
            isQuoted = kept[i] != '\n' && (isQuoted ^ (kept[i] == '"' && !isComment));
            isComment = kept[i] != '\n' && (isComment || (kept[i] == '#' && !isQuoted));
            kept[i] = isComment ? ' ' : kept[i];
        }

        return new string(kept);
    }

    private static int LeadingLines(ReadOnlySpan<char> text)
    {
        int lines = 0;
        foreach (char each in text)
        {
            if (!char.IsWhiteSpace(each))
            {
                break;
            }

            lines += each == '\n' ? 1 : 0;
        }

        return lines;
    }

    [GeneratedRegex(@"^(?:add\s+)?(?:(?:table(?:\s+(?:ip6?|inet|arp|bridge|netdev))?)|chain|set|map|flowtable|counter|quota|limit|secmark|synproxy"
        + @"|ct\s+(?:helper|timeout|expectation))\s+\S+$")]
    private static partial Regex BlockHeader();

    [GeneratedRegex(@"^(?:add\s+)?table\s+(?:(?<family>ip6?|inet|arp|bridge|netdev)\s+)?(?<name>\S+)$")]
    private static partial Regex Table();

    [GeneratedRegex(@"^chain\s+(?<name>\S+)$")]
    private static partial Regex Chain();

    [GeneratedRegex(@"^add\s+rule\s+(?:(?<family>ip6?|inet|arp|bridge|netdev)\s+)?(?<table>\S+)\s+(?<chain>\S+)\s")]
    private static partial Regex AddRule();

    [GeneratedRegex(@"^(?:type|policy|flags|devices?|comment)\b")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(?:\[\d+:\d+\]\s+)?-A\s+(?<chain>\S+)")]
    private static partial Regex Append();

    private readonly record struct Statement(string Text, int Line, bool Opens, bool Closes);
}
