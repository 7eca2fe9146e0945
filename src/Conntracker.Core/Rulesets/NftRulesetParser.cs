using System.Globalization;
using System.Text;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// Reads the text of a ruleset: tables contain blocks, and only chains among them matter. It relies on the layout of nft's output (a block's header
/// and its closing brace have lines of their own), not on the grammar, which grows with each version.
/// </summary>
internal static class NftRulesetParser
{
    private const string TableWord = "table ";
    private const string ChainWord = "chain ";
    private const string BlockOpen = " {";
    private const string BlockClose = "}";

    /// <summary>Reads all tables but our own.</summary>
    public static NftRulesetParts Parse(ReadOnlySpan<char> text)
    {
        NftRulesetParts ruleset = new();
        NftStatementReader reader = new(text);
        while (reader.TryReadLine(out ReadOnlySpan<char> line))
        {
            // Any other line here is a comment of nft itself: "# Warning: table ip filter is managed by iptables-nft, do not touch!".
            if (BlockName(line, TableWord) is { IsEmpty: false } name && name.IndexOf(' ') is > 0 and int space)
            {
                ReadTable(ref reader, name[..space].ToString(), name[(space + 1)..].ToString(), HandleOf(line), ruleset);
            }
            else if (NftAnonymousChain.Parse(line) is { } anonymous)
            {
                AddAnonymous(ruleset, anonymous);
            }
        }

        return ruleset;
    }

    private static void ReadTable(ref NftStatementReader reader, string family, string table, ulong tableHandle, NftRulesetParts ruleset)
    {
        List<NftChain> chains = ruleset.Chains;
        ruleset.Tables.TryAdd((family, table), tableHandle);
        int first = chains.Count;
        bool hasOwner = false;
        while (reader.TryReadLine(out ReadOnlySpan<char> line) && line is not BlockClose)
        {
            if (!IsBlock(line))
            {
                // "flags dormant", "comment …", or an empty line.
                hasOwner |= line.StartsWith("flags ", StringComparison.Ordinal) && line.Contains("owner", StringComparison.Ordinal);
                continue;
            }

            ReadOnlySpan<char> name = BlockName(line, ChainWord);
            if (name.IsEmpty)
            {
                SkipBlock(ref reader);
            }
            else
            {
                chains.Add(ReadChain(ref reader, family, table, name.ToString(), tableHandle, HandleOf(line), ruleset.Blocks));
            }
        }

        if (!OwnTable.HasOwnName(family, table))
        {
            return;
        }

        if (OwnTable.IsOwn(hasOwner, chains.Skip(first)))
        {
            chains.RemoveRange(first, chains.Count - first);
            ruleset.Tables.Remove((family, table));
        }
        else
        {
            ruleset.Lookalikes.Add(table);
        }
    }

    /// <summary>A rule of a statement.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="handle">The rule's handle.</param>
    /// <param name="position">Its place in its chain, counted from 1.</param>
    public static NftRule RuleOf(in NftStatement statement, ulong handle, int position) => new()
    {
        Handle = handle,
        Position = position,
        Text = OneLine(statement.Text),
        Comment = statement.HasComment ? statement.Comment.ToString() : null,
        Rejects = statement.Rejects,
    };

    // A table of ours that was left out has no such chains; one that has been made since under the same name has another handle.
    private static void AddAnonymous(NftRulesetParts ruleset, NftAnonymousChain chain)
    {
        if (ruleset.Blocks.TryGetValue((chain.TableHandle, chain.Holder), out string[]? lines)
            && ruleset.Tables.TryGetValue((chain.Family, chain.Table), out ulong handle) && handle == chain.TableHandle
            && NftAnonymousBlock.RulesOf(lines, chain.Handles) is { } rules)
        {
            ruleset.Chains.Add(new NftChain(chain.Family, chain.Table, chain.Name, rules) { TableHandle = chain.TableHandle });
        }
    }

    private static NftChain ReadChain(
        ref NftStatementReader reader, string family, string table, string name, ulong tableHandle, ulong handle, Dictionary<(ulong, ulong), string[]> blocks)
    {
        List<NftRule> rules = [];
        string? type = null;
        string? hook = null;
        string? priority = null;
        string? policy = null;
        while (reader.TryReadStatement(out NftStatement statement) && statement.Text is not BlockClose)
        {
            if (statement.Handle is ulong ruleHandle)
            {
                rules.Add(RuleOf(in statement, ruleHandle, rules.Count + 1));
                if (tableHandle != 0 && NftAnonymousBlock.LinesOf(statement.Text) is { } lines)
                {
                    blocks.TryAdd((tableHandle, ruleHandle), lines);
                }
            }
            else
            {
                // A line without a handle declares a property of the chain: "type filter hook input priority filter; policy drop;".
                type ??= Word(statement.Text, "type ");
                hook ??= Word(statement.Text, " hook ");
                priority ??= UpToSemicolon(statement.Text, " priority ");
                policy ??= UpToSemicolon(statement.Text, "policy ");
            }
        }

        return new NftChain(family, table, name, rules)
        {
            TableHandle = tableHandle,
            Handle = handle,
            Type = type,
            Hook = hook,
            Priority = priority,
            Policy = policy,
        };
    }

    private static void SkipBlock(ref NftStatementReader reader)
    {
        while (reader.TryReadStatement(out NftStatement statement) && statement.Text is not BlockClose)
        {
        }
    }

    // The header of a block ends with the brace, or with what -a appends: "chain input { # handle 1", "table inet x { # progname nft".
    private static bool IsBlock(ReadOnlySpan<char> line) =>
        line.EndsWith(BlockOpen, StringComparison.Ordinal) || line.Contains(" { #", StringComparison.Ordinal);

    private static ReadOnlySpan<char> BlockName(ReadOnlySpan<char> line, string word)
    {
        int open = line.IndexOf(BlockOpen, StringComparison.Ordinal);
        return line.StartsWith(word, StringComparison.Ordinal) && open > word.Length ? line[word.Length..open] : default;
    }

    // The handle is followed by the owner's name, if there is one.
    private static ulong HandleOf(ReadOnlySpan<char> header)
    {
        const string Word = " # handle ";
        int at = header.IndexOf(Word, StringComparison.Ordinal);
        ReadOnlySpan<char> number = at < 0 ? default : header[(at + Word.Length)..];
        int end = number.IndexOf(' ');
        return ulong.TryParse(end < 0 ? number : number[..end], NumberStyles.None, CultureInfo.InvariantCulture, out ulong handle) ? handle : 0;
    }

    private static string? Word(ReadOnlySpan<char> text, string label) => After(text, label, ' ');

    private static string? UpToSemicolon(ReadOnlySpan<char> text, string label) => After(text, label, ';');

    private static string? After(ReadOnlySpan<char> text, string label, char end)
    {
        int at = text.StartsWith("comment", StringComparison.Ordinal) ? -1 : text.IndexOf(label, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        ReadOnlySpan<char> value = text[(at + label.Length)..];
        int length = value.IndexOf(end);
        return length > 0 ? value[..length].ToString() : null;
    }

    // A set's elements may continue over several lines, and so may a chain inside a rule ("jump { … }"): joined as nft would read them.
    private static string OneLine(ReadOnlySpan<char> text)
    {
        if (!text.Contains('\n'))
        {
            return text.ToString();
        }

        StringBuilder joined = new(text.Length);
        bool isQuoted = false;
        int lineStart = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char each = text[i];
            isQuoted ^= each == '"';
            if (each != '\n' || isQuoted)
            {
                joined.Append(each);
                continue;
            }

            ReadOnlySpan<char> line = NftStatementReader.WithoutHandle(text[lineStart..i], out _);
            joined.Length -= i - lineStart - line.Length;
            joined.Append(line is [.., '{' or ',' or ';'] ? " " : "; ");
            while (i + 1 < text.Length && text[i + 1] is ' ' or '\t')
            {
                i++;
            }

            lineStart = i + 1;
        }

        return joined.ToString();
    }
}
