using Xunit;

namespace Conntracker.Tests.Live.Policies.Suggestions;

/// <summary>The programs that load rulesets accept the texts of policies.</summary>
public sealed class PolicyLoadTests : IDisposable
{
    private readonly TestNamespace _namespace = new();
    private readonly TempDirectory _folder = new();

    public static TheoryData<int, FirewallPolicyDefault, double> Cases => new()
    {
        { 0, FirewallPolicyDefault.Drop, 0 },
        { 1, FirewallPolicyDefault.Drop, 256 },
        { 30, FirewallPolicyDefault.Reject, 256 },
        { 400, FirewallPolicyDefault.Reject, 100_000 },
        { 1500, FirewallPolicyDefault.Drop, 256 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void nft_checks_loads_and_replaces_the_table(int flows, FirewallPolicyDefault verdict, double widening)
    {
        string path = Write(flows, verdict, widening, FirewallPolicyFormat.Nftables);
        _namespace.Run("nft", "-c", "-f", path);
        _namespace.Run("nft", "-f", path);
        string loaded = _namespace.Run("nft", "list", "ruleset");
        _namespace.Run("nft", "-f", path);
        Assert.Equal(loaded, _namespace.Run("nft", "list", "ruleset"));
        Assert.Single(_namespace.Run("nft", "list", "tables").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(3, loaded.Split("policy drop;").Length - 1);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_programs_of_iptables_check_and_load_one_file_for_both_families(int flows, FirewallPolicyDefault verdict, double widening)
    {
        string path = Write(flows, verdict, widening, FirewallPolicyFormat.Iptables);
        foreach (string program in (string[])["iptables-legacy-restore", "ip6tables-legacy-restore", "iptables-nft-restore", "ip6tables-nft-restore"])
        {
            _namespace.Run(program, "--test", path);
            _namespace.Run(program, path);
        }

        Assert.Contains("-P INPUT DROP", _namespace.Run("iptables-legacy", "-S"), StringComparison.Ordinal);
        Assert.Contains("-P INPUT DROP", _namespace.Run("ip6tables-legacy", "-S"), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _namespace.Dispose();
        _folder.Dispose();
    }

    private string Write(int flows, FirewallPolicyDefault verdict, double widening, FirewallPolicyFormat format)
    {
        FirewallPolicyOptions options = new() { Format = format, DefaultVerdict = verdict, MaximumWidening = widening };
        string path = _folder.File("policy");
        File.WriteAllText(path, $"{FirewallPolicy.Suggest(SeenFlows.Random(seed: flows, flows), options)}\n");
        return path;
    }
}
