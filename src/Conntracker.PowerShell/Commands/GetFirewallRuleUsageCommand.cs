using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Shows how much each rule is used by traced flows, and which rules nobody needs.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "FirewallRuleUsage", DefaultParameterSetName = ByName)]
[OutputType(typeof(FirewallRuleUsage))]
public sealed class GetFirewallRuleUsageCommand : CaptureCmdlet
{
    private const string ByFlow = "Flow";

    private FirewallRuleUsageCounter? _counter;

    /// <summary>The captures whose flows are counted.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures whose flows are counted.")]
    public Capture[]? Capture { get; set; }

    /// <summary>The flows that are counted.</summary>
    [Parameter(ParameterSetName = ByFlow, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The traced flows that are counted.")]
    public Flow[]? InputObject { get; set; }

    /// <summary>The rules.</summary>
    [Parameter(HelpMessage = "All rules of the ruleset, from Get-FirewallRule. Default: those that the capture read, otherwise those that are loaded.")]
    public FirewallRule[]? FirewallRule { get; set; }

    /// <summary>The network namespace whose loaded rules are used.</summary>
    [Parameter(ParameterSetName = ByFlow, HelpMessage = "The network namespace whose loaded rules are read: a name from 'ip netns', or a path.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <summary>Try the loaded rules, to prove which are shadowed.</summary>
    [Parameter(HelpMessage = "Try the loaded rules in a private network namespace, to prove which of them are shadowed. Requires root.")]
    public SwitchParameter Trial { get; set; }

    /// <summary>Only rules with one of these findings.</summary>
    [Parameter(HelpMessage = "Emit only rules with one of these findings.")]
    public FirewallRuleFindingKind[]? Finding { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            if (ParameterSetName == ByFlow)
            {
                _counter ??= new FirewallRuleUsageCounter(FirewallRule ?? Read(NetworkNamespace));
                AddAll(_counter, InputObject ?? []);
                return;
            }

            IReadOnlyList<Capture> captures = Resolve(Capture);
            if (captures.Count == 0 && Name is null)
            {
                WriteError(ErrorCatalog.CaptureNotFound(name: null));
            }

            foreach (Capture capture in captures)
            {
                FirewallRuleUsageCounter counter = new(FirewallRule ?? RulesOf(capture));
                AddAll(counter, capture.GetFlows(FlowQuery.All, StopToken));

                // The rules of a recording are not those that are loaded here.
                Write(counter, capture.Options.NetworkNamespace, Trial && capture.Options.ReplayPath is null);
            }
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, NetworkNamespace);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            if (_counter is not null)
            {
                Write(_counter, NetworkNamespace, Trial);
            }
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, NetworkNamespace);
        }
    }

    private IReadOnlyList<FirewallRule> RulesOf(Capture capture)
    {
        IReadOnlyList<FirewallRule> rules = capture.GetFirewallRules();
        return rules.Count > 0 || capture.Options.ReplayPath is not null ? rules : Read(capture.Options.NetworkNamespace);
    }

    private IReadOnlyList<FirewallRule> Read(string? networkNamespace) =>
        RunWithProgress("Reading the firewall's rules", status: null, cancellation => FirewallRules.Read(networkNamespace, cancellation));

    private void AddAll(FirewallRuleUsageCounter counter, IEnumerable<Flow> flows)
    {
        foreach (Flow flow in flows.TakeWhile(_ => !StopToken.IsCancellationRequested))
        {
            counter.Add(flow);
        }
    }

    private void Write(FirewallRuleUsageCounter counter, string? networkNamespace, bool tries)
    {
        IReadOnlyList<FirewallRuleUsage> usages = RunWithProgress("Comparing the rules", status: null, cancellation => counter.GetUsage(
            tries ? FirewallRuleUsageCounter.ReadTrial(networkNamespace, cancellation) : null, cancellation));
        foreach (string notice in counter.Notices)
        {
            WriteWarning(notice);
        }

        foreach (FirewallRuleUsage usage in usages.TakeWhile(_ => !StopToken.IsCancellationRequested))
        {
            if (Finding is null || usage.Findings.Any(finding => Finding.Contains(finding.Kind)))
            {
                WriteObject(usage);
            }
        }
    }
}
