using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Gets the flows of captures, or the current ones of the kernel's table.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "ConntrackFlow", DefaultParameterSetName = ByName)]
[OutputType(typeof(Flow))]
public sealed class GetConntrackFlowCommand : FlowQueryCmdlet
{
    private const string FromKernel = "Live";
    private const string ByRule = "FirewallRule";

    private readonly List<FirewallRule> _rules = [];

    /// <summary>The captures whose flows are emitted.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures to get flows from.")]
    [Parameter(ParameterSetName = ByRule, HelpMessage = "The captures to get flows from.")]
    public Capture[]? Capture { get; set; }

    /// <summary>Only flows whose packets met one of these rules.</summary>
    [Parameter(
        ParameterSetName = ByRule,
        Mandatory = true,
        ValueFromPipeline = true,
        HelpMessage = "Emit only traced flows with packets that met one of these rules or policies.")]
    public FirewallRule[]? FirewallRule { get; set; }

    /// <summary>Read the kernel's table once.</summary>
    [Parameter(ParameterSetName = FromKernel, Mandatory = true, HelpMessage = "Read the kernel's connection table once, without a capture.")]
    public SwitchParameter Live { get; set; }

    /// <summary>The network namespace to read.</summary>
    [Parameter(ParameterSetName = FromKernel, HelpMessage = "The network namespace to read: a name from 'ip netns', or a path.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <summary>Only flows seen at this time or later.</summary>
    [Parameter(HelpMessage = "Emit only flows that were seen at this time or later.")]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Names of processes.</summary>
    [Parameter(HelpMessage = "Names of processes at either end. The capture must use -ResolveProcess. Wildcards are allowed.")]
    [SupportsWildcards]
    public string[] ProcessName { get; set; } = [];

    /// <summary>Ids of processes.</summary>
    [Parameter(HelpMessage = "Ids of processes at either end.")]
    public int[] ProcessId { get; set; } = [];

    /// <summary>Names of users.</summary>
    [Parameter(HelpMessage = "Users of the processes at either end, by name or id. Wildcards are allowed.")]
    [SupportsWildcards]
    public string[] UserName { get; set; } = [];

    /// <summary>Aggregate flows for firewall rules.</summary>
    [Parameter(HelpMessage = "Fold flows for firewall rules and merge flows that become equal: without the client's port, and for flows of these " +
        "directions without remote addresses on the internet.")]
    public InternetFolding FoldInternet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == FromKernel)
        {
            ReadKernel();
            return;
        }

        // A flow may meet several rules of the pipeline, and is emitted once.
        if (ParameterSetName == ByRule)
        {
            _rules.AddRange(FirewallRule ?? []);
            return;
        }

        WriteFlows(met: null);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (ParameterSetName == ByRule)
        {
            WriteFlows(new FirewallRuleIndex(_rules));
        }
    }

    private void WriteFlows(FirewallRuleIndex? met)
    {
        IReadOnlyList<Capture> captures = Resolve(Capture);
        if (captures.Count == 0 && Name is null)
        {
            WriteError(ErrorCatalog.CaptureNotFound(name: null));
        }

        foreach (Capture capture in captures)
        {
            WarnOfLoss(capture);
            IEnumerable<Flow> flows = capture.GetFlows(BuildQuery(), StopToken);
            Write(met is null ? flows : flows.Where(met.IsMetBy));
        }
    }

    private FlowQuery BuildQuery() => BuildQuery(Since, ProcessName, ProcessId, UserName);

    private void ReadKernel()
    {
        try
        {
            using CaptureSession session = RunWithProgress(
                "Reading the kernel's connection table", status: null, cancellation => CaptureSession.ReadOnce(NetworkNamespace, cancellation));
            Write(session.GetFlows(BuildQuery(), StopToken));
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, NetworkNamespace);
        }
    }

    private void Write(IEnumerable<Flow> flows)
    {
        AggregatedFlows folded = new(FoldInternet);
        foreach (Flow flow in flows.TakeWhile(_ => !StopToken.IsCancellationRequested))
        {
            if (FoldInternet == InternetFolding.None || !folded.Add(flow))
            {
                WriteObject(flow);
            }
        }

        foreach (Flow flow in folded.All.TakeWhile(_ => !StopToken.IsCancellationRequested))
        {
            WriteObject(flow);
        }
    }

    private void WarnOfLoss(Capture capture)
    {
        CaptureCounters counters = capture.GetCounters();
        if (counters.Lost > 0 || counters.Malformed > 0)
        {
            WriteWarning($"{capture.Name}: {counters.Lost} messages lost in {counters.Overruns} overruns, {counters.Repaired} flows repaired, " +
                $"{counters.Malformed} malformed messages.");
        }

        if (counters.NftablesTracesLost > 0 || counters.IptablesTracesLost > 0)
        {
            WriteWarning($"{capture.Name}: {counters.NftablesTracesLost} nftables and {counters.IptablesTracesLost} iptables trace messages lost. " +
                "Steps of some flows are missing.");
        }

        if (capture.Error is string error)
        {
            WriteWarning($"{capture.Name} ended with an error: {error}");
        }
    }
}
