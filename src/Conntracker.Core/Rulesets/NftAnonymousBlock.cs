namespace Conntracker.Core.Rulesets;

/// <summary>The rules of a chain in braces, as the text of the rule that holds it shows them: a line each, without handles.</summary>
internal static class NftAnonymousBlock
{
    /// <summary>Cuts the inner lines out of a rule.</summary>
    /// <param name="statement">The rule that holds the chain, without its handle and comment.</param>
    /// <returns>Null when the rule holds no chain.</returns>
    public static string[]? LinesOf(ReadOnlySpan<char> statement)
    {
        int first = statement.IndexOf('\n');
        int last = statement.LastIndexOf('\n');
        return first > 0 && last > first && statement[(last + 1)..].Trim() is "}" && IsOpening(statement[..first])
            ? statement[(first + 1)..last].ToString().Split('\n')
            : null;
    }

    /// <summary>
    /// The rules with their handles. Each rule has at least one line, and the lines are in the rules' order. So when there are as many lines as
    /// rules, each line is one rule; when there are more, a string holds a line feed, and it is not known which line is which rule.
    /// </summary>
    /// <returns>Null when it is not known which line is which rule.</returns>
    public static IReadOnlyList<NftRule>? RulesOf(string[] lines, IReadOnlyList<ulong> handles)
    {
        if (lines.Length != handles.Count)
        {
            return null;
        }

        List<NftRule> rules = new(lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            NftStatementReader reader = new(NftStatementReader.WithHandle(lines[i], handles[i]));
            if (!reader.TryReadStatement(out NftStatement statement) || statement.Handle != handles[i])
            {
                return null;
            }

            rules.Add(NftRulesetParser.RuleOf(in statement, handles[i], i + 1));
        }

        return rules;
    }

    private static bool IsOpening(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> words = line.TrimStart();
        return words is "jump {" or "goto {" || words.EndsWith(" jump {", StringComparison.Ordinal) || words.EndsWith(" goto {", StringComparison.Ordinal);
    }
}
