using System.Globalization;
using System.Text;

namespace Conntracker.Cli;

/// <summary>The usage of rules as a table, with a heading for each chain.</summary>
internal static class UsageText
{
    /// <summary>The table: packets, flows, the rule, and what was found about it.</summary>
    public static string Of(IEnumerable<FirewallRuleUsage> usages)
    {
        StringBuilder text = new();
        string? chain = null;
        foreach (FirewallRuleUsage usage in usages)
        {
            FirewallRule rule = usage.Rule;
            string here = $"{rule.Engine.ToString().ToLowerInvariant()} {rule.Family} {rule.Table} {rule.Chain}";
            if (here != chain)
            {
                text.Append(chain is null ? "" : "\n").Append(Printable(here)).Append('\n').Append("   packets     flows  rule\n");
                chain = here;
            }

            string comment = rule is { Engine: TraceEngine.Nftables, Comment: string said } ? $" comment \"{said}\"" : "";
            string position = rule.Type == TraceStepType.Rule ? $"{rule.Position}: " : "";
            string findings = usage.Findings.Count > 0 ? $"  [{string.Join("; ", usage.Findings)}]" : "";
            text.Append(CultureInfo.InvariantCulture, $"{usage.Packets,10}{usage.Flows,10}  {position}{Printable(rule.Text + comment)}{findings}\n");
        }

        return text.ToString();
    }

    // Comments come from anywhere, and the table may be shown on a terminal.
    private static string Printable(string text) => string.Concat(text.Select(each => IsPrintable(each) ? each : '_'));

    private static bool IsPrintable(char each) => CharUnicodeInfo.GetUnicodeCategory(each)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
