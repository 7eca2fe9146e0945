namespace Conntracker.Tests.Unit;

/// <summary>Rulesets as their own tools print them.</summary>
internal static class RulesetFixture
{
    public static string Nftables { get; } = Read("nftables.txt");

    public static string NftablesJson { get; } = Read("nftables.json");

    public static string Iptables { get; } = Read("iptables.txt");

    public static string IptablesWithCounters { get; } = Read("iptables-counters.txt");

    public static string Ip6tables { get; } = Read("ip6tables.txt");

    private static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "rulesets", name));
}
