using System.Net;
using Conntracker.Core.Policies.Suggestions;

namespace Conntracker;

/// <summary>
/// A small ruleset that accepts the flows that were seen, and little else. It is a text: nothing is applied. Rules filter only; what NAT does is seen in
/// the flows, and rules match packets as the filter chains see them: the source before NAT, the destination after it.
/// </summary>
public sealed class FirewallPolicy
{
    private readonly PolicyFlows _flows;

    private FirewallPolicy(PolicyFlows flows, FirewallPolicyOptions options)
    {
        _flows = flows;
        Format = options.Format;
        DefaultVerdict = options.DefaultVerdict;
        Rules = PolicyBuilder.Build(flows, options);
        OwnAddresses = [.. flows.Own.All.Select(each => each.First.ToIPAddress(each.Family))];
        Ruleset = ToText(Format);
    }

    /// <summary>The format of <see cref="Ruleset"/>.</summary>
    public FirewallPolicyFormat Format { get; }

    /// <summary>What happens to packets that no rule accepts.</summary>
    public FirewallPolicyDefault DefaultVerdict { get; }

    /// <summary>
    /// The rules that flows gave, each chain's in their order. Before them every policy accepts established and related packets, the loopback interface, and
    /// the ICMP that a host needs, and drops invalid packets.
    /// </summary>
    public IReadOnlyList<FirewallPolicyRule> Rules { get; }

    /// <summary>The flows that are not accepted although they were seen, each with the reason.</summary>
    public IReadOnlyList<FlowOmission> Omitted => _flows.Omitted;

    /// <summary>The host's own addresses: those given, and those that flows showed.</summary>
    public IReadOnlyList<IPAddress> OwnAddresses { get; }

    /// <summary>How many flows are accepted.</summary>
    public long Flows => _flows.Total.Flows;

    /// <summary>How many connections these flows had.</summary>
    public long Connections => _flows.Total.Connections;

    /// <summary>When the first of them was first seen; null when not known.</summary>
    public DateTimeOffset? FirstSeen => _flows.Total.FirstSeen;

    /// <summary>When the last of them was last seen; null when not known.</summary>
    public DateTimeOffset? LastSeen => _flows.Total.LastSeen;

    /// <summary>The text in <see cref="Format"/>. Its last line has no line feed, so that Set-Content writes exactly one.</summary>
    public string Ruleset { get; }

    /// <summary>A policy that accepts flows.</summary>
    /// <param name="flows">The flows. They are read once.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or not a number.</exception>
    public static FirewallPolicy Suggest(IEnumerable<Flow> flows, FirewallPolicyOptions options)
    {
        ArgumentNullException.ThrowIfNull(flows);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinimumConnections, 1);
        if (double.IsNaN(options.MaximumWidening) || options.MaximumWidening < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.MaximumWidening,
                "The maximum widening is a number of addresses × ports, 0 or more.");
        }

        return new FirewallPolicy(PolicyFlows.Read(flows, options), options);
    }

    /// <summary>The policy in a format, without a line feed at the end.</summary>
    public string ToText(FirewallPolicyFormat format) => (format switch
    {
        FirewallPolicyFormat.Nftables => NftablesPolicyWriter.Write(this),
        FirewallPolicyFormat.Iptables => IptablesPolicyWriter.Write(this, FlowFamily.None),
        FirewallPolicyFormat.Json => JsonPolicyWriter.Write(this),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    }).TrimEnd('\n');

    /// <summary>The rulesets to load or to test: one for nftables (and for JSON, which no program loads), two for iptables.</summary>
    public IReadOnlyList<RulesetSource> ToRulesets() => Format == FirewallPolicyFormat.Iptables
        ?
        [
            new RulesetSource { Format = RulesetFormat.Iptables, Text = IptablesPolicyWriter.Write(this, FlowFamily.IPv4) },
            new RulesetSource { Format = RulesetFormat.Ip6tables, Text = IptablesPolicyWriter.Write(this, FlowFamily.IPv6) },
        ]
        : [new RulesetSource { Format = RulesetFormat.Nftables, Text = NftablesPolicyWriter.Write(this) }];

    /// <summary>
    /// Loads the policy in a private network namespace and has the kernel say what it does: to every flow that it is made of and its answer, and to
    /// neighbours that were not seen.
    /// </summary>
    /// <exception cref="ConntrackException">
    /// The proof failed (<see cref="ConntrackErrorReason.PolicyProofFailed"/>); the message names the flow and the rule. Or the trial cannot be made here.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public FirewallPolicyProof Prove(CancellationToken cancellation = default) => Prove(program: null, cancellation);

    /// <summary>Proves with a program <c>conntracker</c> of the caller's.</summary>
    internal FirewallPolicyProof Prove(string? program, CancellationToken cancellation)
    {
        ProofFlow[] seen = [.. _flows.Samples.Select(ProofFlow.Of)];
        using FirewallTrial trial = FirewallTrial.Start(
            new FirewallTrialOptions { Host = ProofHost.For(seen, _flows.Own), Rulesets = ToRulesets(), Program = program }, cancellation);
        return Prove(new TrialFlowTester(trial), seen, cancellation) with { Notices = trial.Notices };
    }

    /// <summary>Proves with a tester.</summary>
    internal FirewallPolicyProof Prove(IFlowTester tester, CancellationToken cancellation) =>
        Prove(tester, [.. _flows.Samples.Select(ProofFlow.Of)], cancellation);

    private FirewallPolicyProof Prove(IFlowTester tester, ProofFlow[] seen, CancellationToken cancellation) =>
        PolicyProof.Run(Rules, seen, _flows.Own, tester, cancellation);

    /// <summary><see cref="Ruleset"/>.</summary>
    public override string ToString() => Ruleset;
}
