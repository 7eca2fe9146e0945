using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Gets rules and policies of nftables and iptables-legacy as objects: those that are loaded, or those of files.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "FirewallRule", DefaultParameterSetName = ByHost)]
[OutputType(typeof(FirewallRule))]
public sealed class GetFirewallRuleCommand : RulesetCmdlet
{
    private const string ByHost = "Loaded";
    private const string ByPath = "Path";
    private const string ByLiteralPath = "LiteralPath";

    private static readonly TraceEngine[] s_engines = [TraceEngine.Nftables, TraceEngine.Iptables];

    /// <summary>Chains.</summary>
    [Parameter(Position = 0, HelpMessage = "Names of chains. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(FirewallRuleCompleter))]
    public string[]? Chain { get; set; }

    /// <summary>Engines.</summary>
    [Parameter(HelpMessage = "The packet filters whose rules are read: Nftables, Iptables (iptables-legacy), or both.")]
    public TraceEngine[]? Engine { get; set; }

    /// <summary>Families.</summary>
    [Parameter(HelpMessage = "Families of tables: ip, ip6, inet, arp, bridge, netdev.")]
    [ValidateSet("ip", "ip6", "inet", "arp", "bridge", "netdev")]
    public string[]? Family { get; set; }

    /// <summary>Tables.</summary>
    [Parameter(HelpMessage = "Names of tables. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(FirewallRuleCompleter))]
    public string[]? Table { get; set; }

    /// <summary>Hooks.</summary>
    [Parameter(HelpMessage = "Hooks of base chains: prerouting, input, forward, output, postrouting, ingress, egress. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(FirewallRuleCompleter))]
    public string[]? Hook { get; set; }

    /// <summary>Owners.</summary>
    [Parameter(HelpMessage = "Programs that rules belong to: docker, ufw, firewalld. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(FirewallRuleCompleter))]
    public string[]? Owner { get; set; }

    /// <summary>Verdicts.</summary>
    [Parameter(HelpMessage = "What the rules do: accept, drop, reject, 'jump *'. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(FirewallRuleCompleter))]
    public string[]? Verdict { get; set; }

    /// <summary>Comments.</summary>
    [Parameter(HelpMessage = "Comments of rules. Wildcards are allowed.")]
    [SupportsWildcards]
    public string[]? Comment { get; set; }

    /// <summary>The ruleset's files.</summary>
    [Parameter(
        ParameterSetName = ByPath,
        Mandatory = true,
        HelpMessage = "The ruleset: a file of nft, or files of iptables-save and ip6tables-save, loaded together. Wildcards are allowed.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The ruleset's files; wildcards are taken literally.</summary>
    [Parameter(ParameterSetName = ByLiteralPath, Mandatory = true, HelpMessage = "The files of the ruleset. Wildcards are taken literally.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The network namespace.</summary>
    [Parameter(ParameterSetName = ByHost, HelpMessage = "The network namespace to read: a name from 'ip netns', or a path.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            IReadOnlyList<FirewallRule> rules = ParameterSetName == ByHost ? ReadLoaded() : ReadFiles();
            Func<FirewallRule, bool> selects = Selection();
            foreach (FirewallRule rule in rules.Where(selects).TakeWhile(_ => !StopToken.IsCancellationRequested))
            {
                WriteObject(rule);
            }
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, ParameterSetName switch { ByPath => Path, ByLiteralPath => LiteralPath, _ => NetworkNamespace });
        }
    }

    private IReadOnlyList<FirewallRule> ReadLoaded() => RunWithProgress(
        "Reading the firewall's rules", status: null, cancellation => FirewallRules.Read(NetworkNamespace, Engine ?? s_engines, cancellation));

    // The packet filters' own programs read the files, in a private network namespace. The handles of that namespace mean nothing elsewhere.
    private IReadOnlyList<FirewallRule> ReadFiles()
    {
        FirewallPolicyTestOptions options = new()
        {
            Paths = [.. ParameterSetName == ByLiteralPath ? LiteralPath.Select(ResolveLiteral) : Path.SelectMany(ResolveWildcards)],
        };
        using FirewallPolicyTest test = RunWithProgress(
            "Loading the ruleset in a private network namespace", status: null, cancellation => FirewallPolicyTest.Start(options, cancellation));
        foreach (string notice in test.Notices)
        {
            WriteWarning(notice);
        }

        return [.. test.Rules.Where(rule => (Engine ?? s_engines).Contains(rule.Engine)).Select(rule => rule with { Handle = null })];
    }

    private Func<FirewallRule, bool> Selection()
    {
        (WildcardPattern[] Patterns, Func<FirewallRule, string?> Value)[] conditions =
        [
            (Patterns(Family), rule => rule.Family),
            (Patterns(Table), rule => rule.Table),
            (Patterns(Chain), rule => rule.Chain),
            (Patterns(Hook), rule => rule.Hook),
            (Patterns(Owner), rule => rule.Owner),
            (Patterns(Verdict), rule => rule.Verdict),
            (Patterns(Comment), rule => rule.Comment),
        ];
        return rule => conditions.All(condition => condition.Patterns.Length == 0
            || (condition.Value(rule) is string value && condition.Patterns.Any(pattern => pattern.IsMatch(value))));
    }

    private static WildcardPattern[] Patterns(string[]? words) => [.. (words ?? []).Select(word => WildcardPattern.Get(word, WildcardOptions.IgnoreCase))];
}
