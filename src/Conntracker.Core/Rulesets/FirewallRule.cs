using Conntracker.Core.Model;

namespace Conntracker;

/// <summary>One rule, or the policy of a base chain, of a host's ruleset or of a ruleset that is tested.</summary>
public sealed record FirewallRule
{
    /// <summary>The packet filter that has the rule.</summary>
    public required TraceEngine Engine { get; init; }

    /// <summary>
    /// The family: <c>ip</c>, <c>ip6</c>, <c>inet</c>, <c>arp</c>, <c>bridge</c> or <c>netdev</c>; <c>ip</c> or <c>ip6</c> for iptables-legacy.
    /// </summary>
    public required string Family { get; init; }

    /// <summary>The table's name.</summary>
    public required string Table { get; init; }

    /// <summary>The chain's name.</summary>
    public required string Chain { get; init; }

    /// <summary>The hook of the base chain (<c>input</c>, <c>prerouting</c>, …); null for a chain that only other rules jump to.</summary>
    public string? Hook { get; init; }

    /// <summary>The priority of the base chain as nft prints it; null for a chain that only other rules jump to.</summary>
    public string? Priority { get; init; }

    /// <summary>A rule, or the policy of a base chain. Never <see cref="TraceStepType.Return"/>.</summary>
    public TraceStepType Type { get; init; } = TraceStepType.Rule;

    /// <summary>The position in the chain, counted from 1; for a policy, one past the last rule.</summary>
    public required int Position { get; init; }

    /// <summary>The kernel's number of the rule, unique in its table; null for iptables-legacy and for policies.</summary>
    public ulong? Handle { get; init; }

    /// <summary>
    /// The rule in the words of nft, without handle and comment, or what iptables-save prints after <c>-A CHAIN</c>; for a policy <c>policy drop</c>.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>The comment; null when it has none.</summary>
    public string? Comment { get; init; }

    /// <summary>
    /// What the rule does: <c>accept</c>, <c>drop</c>, <c>reject</c>, <c>queue</c>, <c>return</c>, <c>jump CHAIN</c>, <c>goto CHAIN</c>, or <c>continue</c>
    /// when the next rule follows. Null where the text does not show it (a verdict map).
    /// </summary>
    public string? Verdict { get; init; }

    /// <summary>
    /// The program that the rule belongs to, as far as names and comments show it: <c>docker</c>, <c>podman</c>, <c>kube-proxy</c>, <c>firewalld</c>,
    /// <c>ufw</c>, <c>fail2ban</c>, <c>libvirt</c>, <c>tailscale</c>, <c>iptables-nft</c>, …; null when nothing shows one (written by hand).
    /// </summary>
    public string? Owner { get; init; }

    /// <summary>The file that the rule was read from; null for a loaded ruleset and where it is not known.</summary>
    public string? File { get; init; }

    /// <summary>The line in <see cref="File"/>, counted from 1; null where it is not known.</summary>
    public int? Line { get; init; }

    /// <summary>Where the rule is, and its text: <c>inet filter input rule 3: tcp dport 22 accept</c>.</summary>
    public override string ToString() =>
        Type == TraceStepType.Policy ? $"{Family} {Table} {Chain} {SafeText.Printable(Text)}"
            : $"{Family} {Table} {Chain} rule {Position}: {SafeText.Printable(Text)}";
}
