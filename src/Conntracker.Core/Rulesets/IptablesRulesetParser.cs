namespace Conntracker.Core.Rulesets;

/// <summary>Reads the text of iptables-save: tables, each with its chains and their policies, then all rules in the chains' order.</summary>
internal static class IptablesRulesetParser
{
    private const string AppendWord = "-A ";

    /// <summary>The chains of all tables.</summary>
    public static List<IptablesChain> Parse(ReadOnlySpan<char> text)
    {
        List<IptablesChain> chains = [];
        IptablesTableBuilder? table = null;
        while (!text.IsEmpty)
        {
            int end = EndOfLine(text);
            ReadOnlySpan<char> line = text[..end].Trim();
            text = text[Math.Min(end + 1, text.Length)..];
            if (line is ['*', ..])
            {
                table?.Build(chains);
                table = new IptablesTableBuilder(line[1..].ToString());
            }
            else if (line is [':', ..])
            {
                // ":INPUT ACCEPT [12:3456]", ":services - [0:0]".
                IptablesTokens tokens = new(line[1..]);
                ReadOnlySpan<char> name = tokens.Next();
                ReadOnlySpan<char> policy = tokens.Next();
                table?.AddChain(name.ToString(), policy.IsEmpty || policy is "-" ? null : policy.ToString());
            }
            else if (Rule(line) is { IsEmpty: false } rule)
            {
                IptablesTokens tokens = new(rule[AppendWord.Length..]);
                ReadOnlySpan<char> chain = tokens.Next();
                table?.AddRule(chain.ToString(), tokens.Rest);
            }
        }

        table?.Build(chains);
        return chains;
    }

    // Without the counters that -c prints before a rule: "[5:300] -A INPUT …".
    private static ReadOnlySpan<char> Rule(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> rule = line is ['[', ..] ? line[(line.IndexOf(']') + 1)..].TrimStart() : line;
        return rule.StartsWith(AppendWord, StringComparison.Ordinal) ? rule : default;
    }

    // Only a rule contains strings, and a string may contain line feeds. One that is never closed ends with its line.
    private static int EndOfLine(ReadOnlySpan<char> text)
    {
        int end = text.IndexOf('\n') is >= 0 and int first ? first : text.Length;
        if (Rule(text[..end].TrimStart()).IsEmpty)
        {
            return end;
        }

        IptablesTokens tokens = new(text);
        return tokens.EndOfLine() ?? end;
    }
}
