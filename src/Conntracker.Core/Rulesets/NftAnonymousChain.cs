using System.Globalization;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// A chain that a rule holds in braces (<c>jump { … }</c>), as the kernel has it: nft prints its rules without handles, and not its name.
/// It cannot be changed while the rule that holds it lives, so this is true for as long as the table has that rule.
/// </summary>
/// <param name="Family">The table's family: <c>ip</c>, <c>inet</c>, …</param>
/// <param name="Table">The table's name.</param>
/// <param name="TableHandle">The table's handle.</param>
/// <param name="Holder">The handle of the rule that holds the chain.</param>
/// <param name="Name">The kernel's name of the chain, which traces show: <c>__chain8</c>.</param>
/// <param name="Handles">The handles of its rules, in their order.</param>
internal sealed record NftAnonymousChain(string Family, string Table, ulong TableHandle, ulong Holder, string Name, IReadOnlyList<ulong> Handles)
{
    // Below what nft prints, in the form of a comment: a recording has one text.
    private const string Label = "# anonymous chain ";
    private const int FixedWords = 5;

    /// <summary>The chain as a line of the ruleset's text.</summary>
    public string ToLine() =>
        string.Create(CultureInfo.InvariantCulture, $"{Label}{Family} {Table} {TableHandle} {Holder} {Name} {string.Join(' ', Handles)}");

    /// <summary>Reads what <see cref="ToLine"/> writes.</summary>
    /// <returns>Null when the line is another.</returns>
    public static NftAnonymousChain? Parse(ReadOnlySpan<char> line)
    {
        if (!line.StartsWith(Label, StringComparison.Ordinal))
        {
            return null;
        }

        string[] words = line[Label.Length..].ToString().Split(' ');
        ulong[] handles = new ulong[Math.Max(words.Length - FixedWords, 0)];
        for (int i = 0; i < handles.Length; i++)
        {
            if (!TryParse(words[FixedWords + i], out handles[i]))
            {
                return null;
            }
        }

        return handles.Length > 0 && TryParse(words[2], out ulong table) && TryParse(words[3], out ulong holder)
            ? new NftAnonymousChain(words[0], words[1], table, holder, words[4], handles)
            : null;
    }

    private static bool TryParse(string word, out ulong handle) => ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out handle);
}
