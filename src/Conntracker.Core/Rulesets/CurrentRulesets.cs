using System.Text;

namespace Conntracker.Core.Rulesets;

/// <summary>The rulesets that are loaded now, as texts that can be loaded elsewhere: nftables and iptables-legacy together.</summary>
internal static class CurrentRulesets
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    /// <summary>Reads them, in the network namespace of the calling thread.</summary>
    /// <exception cref="ConntrackException">A program is missing, or failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<RulesetSource> Read(CancellationToken cancellation)
    {
        List<RulesetSource> sources = [];
        string nft = ChildProgram.Find("nft") ?? throw new ConntrackException(
            ConntrackErrorReason.ProgramMissing, "The program nft is missing: install the package nftables (sudo apt-get install nftables).");
        string text = ChildProgram.Run(nft, ["-a", "-s", "list", "ruleset"], s_patience, cancellation);
        string own = WithoutForeignTables(text, out bool hasIptables, out bool hasIp6tables);
        if (own.AsSpan().Trim().Length > 0)
        {
            sources.Add(new RulesetSource { Format = RulesetFormat.Nftables, Text = own });
        }

        // nft shows matches and targets of iptables as comments, which nft does not load.
        AddSaved(sources, hasIptables, RulesetFormat.IptablesNft, "iptables-nft-save", cancellation);
        AddSaved(sources, hasIp6tables, RulesetFormat.Ip6tablesNft, "ip6tables-nft-save", cancellation);
        IptablesRulesetTexts legacy = IptablesRulesetReader.Read(cancellation);
        AddText(sources, RulesetFormat.Iptables, legacy.IPv4);
        AddText(sources, RulesetFormat.Ip6tables, legacy.IPv6);
        return sources;
    }

    /// <summary>Removes the tables that Conntracker created, and those that iptables-nft manages.</summary>
    /// <param name="text">What nft prints.</param>
    /// <param name="hasIptables">Whether iptables-nft manages a table for IPv4.</param>
    /// <param name="hasIp6tables">Whether ip6tables-nft manages a table for IPv6.</param>
    public static string WithoutForeignTables(string text, out bool hasIptables, out bool hasIp6tables)
    {
        hasIptables = false;
        hasIp6tables = false;
        StringBuilder kept = new(text.Length);
        StringBuilder table = new();
        bool isManaged = false;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (table.Length == 0 && line.StartsWith("# Warning: table ", StringComparison.Ordinal)
                && line.Contains("managed by iptables-nft", StringComparison.Ordinal))
            {
                isManaged = true;
                hasIptables |= line.StartsWith("# Warning: table ip ", StringComparison.Ordinal);
                hasIp6tables |= line.StartsWith("# Warning: table ip6 ", StringComparison.Ordinal);
                continue;
            }

            table.Append(line).Append('\n');
            if (line is not "}")
            {
                continue;
            }

            if (!isManaged && !IsOwn(table))
            {
                kept.Append(table);
            }

            table.Clear();
            isManaged = false;
        }

        return kept.ToString();
    }

    // The parser leaves out tables that Conntracker created.
    private static bool IsOwn(StringBuilder table) => NftRuleset.Parse(table.ToString()).Tables.Count == 0;

    private static void AddSaved(List<RulesetSource> sources, bool isNeeded, RulesetFormat format, string program, CancellationToken cancellation)
    {
        if (isNeeded)
        {
            string path = ChildProgram.Find(program) ?? throw new ConntrackException(
                ConntrackErrorReason.ProgramMissing, $"The program {program} is missing: install the package iptables (sudo apt-get install iptables).");
            AddText(sources, format, ChildProgram.Run(path, [], s_patience, cancellation));
        }
    }

    private static void AddText(List<RulesetSource> sources, RulesetFormat format, string? text)
    {
        if (text is not null)
        {
            sources.Add(new RulesetSource { Format = format, Text = text });
        }
    }
}
