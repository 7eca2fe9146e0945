using Conntracker.Core.Rulesets;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing;

/// <summary>Compares the verdict that the kernel reported for a rule with the one at the end of the rule's text.</summary>
internal static class RuleVerdict
{
    /// <summary>
    /// Whether a rule with this text cannot have given this verdict. False where the text does not show it (a verdict map, an anonymous chain, a
    /// queue).
    /// </summary>
    /// <param name="rule">The rule as it was read.</param>
    /// <param name="verdict">NF_* or NFT_*, as the trace reports it.</param>
    public static bool Contradicts(NftRule rule, int verdict)
    {
        int reported = verdict < 0 ? verdict : verdict & NF_VERDICT_MASK;
        return rule.Rejects
            ? reported == NF_ACCEPT
            : Written(rule.Text) is int written && written != reported;
    }

    // nft prints the verdict last. User-defined names and prefixes are in quotes there, except for the chain of a jump.
    private static int? Written(ReadOnlySpan<char> text)
    {
        int end = text.LastIndexOf(' ');
        ReadOnlySpan<char> last = text[(end + 1)..];
        ReadOnlySpan<char> before = end < 0 ? default : text[..end];
        return before[(before.LastIndexOf(' ') + 1)..] switch
        {
            "jump" => last is "}" ? null : NFT_JUMP,
            "goto" => last is "}" ? null : NFT_GOTO,
            _ => last switch
            {
                "accept" => NF_ACCEPT,
                "drop" => NF_DROP,
                "return" => NFT_RETURN,
                "continue" => NFT_CONTINUE,
                _ => null,
            },
        };
    }
}
