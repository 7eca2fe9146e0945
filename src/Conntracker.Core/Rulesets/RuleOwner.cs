using System.IO.Enumeration;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// Says which program a rule belongs to. Programs give their tables and chains names of their own, and comment on the rules that they put into
/// others' chains. A rule that leads to a program's chain is the program's too. Anybody can use these names, so it is an indication, not a proof.
/// </summary>
internal static class RuleOwner
{
    /// <summary>The owner of a rule of iptables-nft of which nothing more is known.</summary>
    public const string IptablesNft = "iptables-nft";

    // Their programs leave them to the user; what leads there is the program's.
    private static readonly string[] s_usersChains = ["DOCKER-USER", "CNI-ADMIN"];

    /// <summary>The program that a rule in a chain of nobody's, or of the user's, belongs to; null when nothing shows one.</summary>
    /// <param name="verdict">Its verdict; null when not known.</param>
    /// <param name="comment">Its comment; null when it has none.</param>
    /// <param name="text">Its text.</param>
    public static string? OfRule(string? verdict, string? comment, string text)
    {
        string? target = verdict is null ? null
            : verdict.StartsWith("jump ", StringComparison.Ordinal) || verdict.StartsWith("goto ", StringComparison.Ordinal) ? verdict[5..]
            : null;
        foreach (RuleOwnerFact fact in RuleOwnerFact.All)
        {
            string? subject = fact.Kind switch
            {
                RuleOwnerFactKind.Chain => target,
                RuleOwnerFactKind.Comment => comment,
                RuleOwnerFactKind.Text => text,
                _ => null,
            };
            if (subject is not null && Matches(fact.Pattern, subject))
            {
                return fact.Owner;
            }
        }

        return null;
    }

    /// <summary>The program that a chain belongs to; null when nothing shows one, and for chains that a program leaves to the user.</summary>
    public static string? OfChain(string table, string chain)
    {
        if (s_usersChains.Contains(chain))
        {
            return null;
        }

        foreach (RuleOwnerFact fact in RuleOwnerFact.All)
        {
            string? subject = fact.Kind switch { RuleOwnerFactKind.Table => table, RuleOwnerFactKind.Chain => chain, _ => null };
            if (subject is not null && Matches(fact.Pattern, subject))
            {
                return fact.Owner;
            }
        }

        return null;
    }

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
