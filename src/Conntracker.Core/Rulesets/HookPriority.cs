using System.Globalization;

namespace Conntracker.Core.Rulesets;

/// <summary>The priority of a base chain at its hook: packets meet lower numbers first (enum nf_ip_hook_priorities).</summary>
internal static class HookPriority
{
    private const int Raw = -300;
    private const int Mangle = -150;
    private const int DestinationNat = -100;
    private const int Security = 50;
    private const int SourceNat = 100;

    /// <summary>Reads a priority as nft prints it: <c>filter + 5</c>, <c>-500</c>.</summary>
    /// <returns>Null when there is none, or it is not valid.</returns>
    public static int? Parse(string? text)
    {
        string[] words = (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is not (1 or 3))
        {
            return null;
        }

        int? named = words[0] switch
        {
            "raw" => Raw,
            "mangle" => Mangle,
            "dstnat" => DestinationNat,
            "filter" => 0,
            "security" => Security,
            "srcnat" => SourceNat,
            _ => Number(words[0]),
        };
        return words.Length == 1 ? named
            : (words[1], Number(words[2])) switch
            {
                ("+", int more) => named + more,
                ("-", int less) => named - less,
                _ => null,
            };
    }

    /// <summary>The priority of a table of iptables.</summary>
    /// <param name="table">The table's name.</param>
    /// <param name="hook">The hook; null when not known.</param>
    /// <returns>Null for a table of another name.</returns>
    public static int? OfIptables(string table, string? hook) => (table, hook) switch
    {
        ("raw", _) => Raw,
        ("mangle", _) => Mangle,
        ("nat", "prerouting" or "output") => DestinationNat,
        ("nat", "input" or "postrouting") => SourceNat,
        ("filter", _) => 0,
        ("security", _) => Security,
        _ => null,
    };

    /// <summary>The priority of a table of iptables, as nft prints it.</summary>
    /// <param name="table">The table's name.</param>
    /// <param name="hook">The hook; null when not known.</param>
    /// <returns>Null for a table of another name, and for nat without a hook.</returns>
    public static string? NameOfIptables(string table, string? hook) => (table, hook) switch
    {
        ("raw" or "mangle" or "filter" or "security", _) => table,
        ("nat", "prerouting" or "output") => "dstnat",
        ("nat", "input" or "postrouting") => "srcnat",
        _ => null,
    };

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : null;
}
