namespace Conntracker.Core.Rulesets;

/// <summary>The parts of a rule's line.</summary>
/// <param name="Text">The rule, without <c>-A CHAIN</c>.</param>
/// <param name="Comment">The first comment; null when there is none.</param>
/// <param name="Target">What follows <c>-j</c> or <c>-g</c>; null when there is neither.</param>
/// <param name="IsGoto">Whether it was <c>-g</c>.</param>
internal readonly record struct IptablesRuleLine(string Text, string? Comment, string? Target, bool IsGoto)
{
    /// <summary>Reads a line.</summary>
    public static IptablesRuleLine Read(ReadOnlySpan<char> text)
    {
        string? comment = null;
        IptablesTokens tokens = new(text);
        ReadOnlySpan<char> beforeLast = default;
        ReadOnlySpan<char> last = default;
        while (tokens.Next() is { IsEmpty: false } word)
        {
            // iptables-save prints the target behind all matches, so the first -j is the target's; only a comment may be "-j", without quotes.
            if (word is "-j" or "-g")
            {
                return new IptablesRuleLine(text.ToString(), comment, tokens.Next().ToString(), word is "-g");
            }

            if (word is "--comment" && last is "comment" && beforeLast is "-m")
            {
                ReadOnlySpan<char> value = tokens.Next();
                comment ??= IptablesTokens.Unquote(value);
            }

            beforeLast = last;
            last = word;
        }

        return new IptablesRuleLine(text.ToString(), comment, null, false);
    }
}
