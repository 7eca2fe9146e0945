using System.Globalization;
using System.Management.Automation;
using System.Net;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Suggests a small ruleset that accepts the flows that were seen, and little else. Nothing is applied.</para>
/// </summary>
[Cmdlet(VerbsCommon.New, "FirewallPolicy")]
[OutputType(typeof(FirewallPolicy))]
public sealed class NewFirewallPolicyCommand : ConntrackCmdlet
{
    private readonly List<Flow> _flows = [];

    /// <summary>The flows.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, HelpMessage = "The flows.")]
    public Flow[] InputObject { get; set; } = [];

    /// <summary>The format of the ruleset.</summary>
    [Parameter(HelpMessage = "The format of the ruleset: Nftables, Iptables or Json. The default is Nftables.")]
    public FirewallPolicyFormat As { get; set; } = FirewallPolicyFormat.Nftables;

    /// <summary>What happens to packets that no rule accepts.</summary>
    [Parameter(HelpMessage = "What happens to packets that no rule accepts: Drop or Reject. The default is Drop.")]
    public FirewallPolicyDefault DefaultVerdict { get; set; } = FirewallPolicyDefault.Drop;

    /// <summary>Networks that rules name instead of the hosts seen in them.</summary>
    [Parameter(HelpMessage = "Networks that rules name instead of the hosts seen in them: 10.0.0.0/8. 0.0.0.0/0 and ::/0 are anybody.")]
    public AddressRange[] Prefix { get; set; } = [];

    /// <summary>A service with fewer connections is not accepted.</summary>
    [Parameter(HelpMessage = "A service that has fewer connections, over all hosts, is not accepted. The default is 1.")]
    [ValidateRange(1, long.MaxValue)]
    public long MinimumConnections { get; set; } = 1;

    /// <summary>How much each rule may accept that was not seen.</summary>
    [Parameter(HelpMessage =
        "How many pairs of address and port each rule may accept that were not seen, so that hosts become prefixes. The default is 256; "
        + "0 accepts exactly what was seen.")]
    [ValidateRange(0d, double.MaxValue)]
    public double MaximumWidening { get; set; } = FirewallPolicyOptions.DefaultMaximumWidening;

    /// <summary>Flows that are not accepted although they were seen.</summary>
    [Parameter(HelpMessage =
        "What is not accepted although it was seen: addresses (10.0.0.0/8), ports (23), protocols (sctp), or ports of a protocol (udp/161).")]
    public FlowExclusion[] Exclude { get; set; } = [];

    /// <summary>The host's own addresses.</summary>
    [Parameter(HelpMessage = "The host's own addresses, besides those that the flows show. They give flows from a text log their direction.")]
    public IPAddress[] OwnAddress { get; set; } = [];

    /// <summary>Skip the proof.</summary>
    [Parameter(HelpMessage = "Do not have the kernel prove the policy before it is emitted.")]
    public SwitchParameter NoProof { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _flows.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        FirewallPolicy policy = FirewallPolicy.Suggest(_flows, new FirewallPolicyOptions
        {
            Format = As,
            DefaultVerdict = DefaultVerdict,
            Prefixes = Prefix,
            MinimumConnections = MinimumConnections,
            MaximumWidening = MaximumWidening,
            Exclude = Exclude,
            OwnAddresses = OwnAddress,
        });
        foreach (IGrouping<FlowOmissionReason, FlowOmission> reason in policy.Omitted.GroupBy(each => each.Reason))
        {
            WriteVerbose(string.Create(CultureInfo.InvariantCulture, $"Flows that are not accepted: {reason.Count()} ({reason.Key})."));
        }

        if (policy.Omitted.Any(each => each.Reason == FlowOmissionReason.DirectionUnknown))
        {
            WriteWarning("The direction of some flows is not known, and no rule accepts them. Name the host's own addresses with -OwnAddress.");
        }

        if (!NoProof)
        {
            Prove(policy);
        }

        WriteObject(policy);
    }

    private void Prove(FirewallPolicy policy)
    {
        try
        {
            FirewallPolicyProof proof = RunWithProgress("Proving the policy", null, policy.Prove);
            WriteVerbose(string.Create(CultureInfo.InvariantCulture,
                $"Proved: {proof.Flows} different flows are accepted, and {proof.Neighbours} neighbours that were not seen are not."));
            foreach (string notice in proof.Notices)
            {
                WriteVerbose(notice);
            }

            foreach (FlowTest test in proof.Unproved)
            {
                WriteWarning($"The flow {test.Flow} could not be proved: {test.Reason}");
            }
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, policy);
        }
    }
}
