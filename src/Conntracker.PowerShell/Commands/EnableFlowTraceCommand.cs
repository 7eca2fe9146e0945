using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Traces flows through the firewall's rules for a time, while a capture runs.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Enable, "FlowTrace", SupportsShouldProcess = true, DefaultParameterSetName = BySelector)]
[OutputType(typeof(FlowTrace))]
public sealed class EnableFlowTraceCommand : FlowTraceCmdlet
{
    /// <summary>The flows.</summary>
    [Parameter(ParameterSetName = ByFlow, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The flows to trace.")]
    public Flow[] InputObject { get; set; } = [];

    /// <summary>How long they are traced.</summary>
    [Parameter(HelpMessage = "How long the flows are traced: seconds, or 30s, 5m, 2h; 1s to 1d.")]
    [Duration]
    public TimeSpan Duration { get; set; } = new CaptureOptions().TraceDuration;

    /// <inheritdoc/>
    [Parameter(HelpMessage = "The name of the capture that traces. The default is the only running capture.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(CaptureNameCompleter))]
    public override string? Name { get; set; }

    /// <inheritdoc/>
    [Parameter(ParameterSetName = ByFlow, HelpMessage = "The capture that traces.")]
    [Parameter(ParameterSetName = BySelector, ValueFromPipeline = true, HelpMessage = "The capture that traces.")]
    public override Capture? Capture { get; set; }

    /// <summary>Emit the traces.</summary>
    [Parameter(HelpMessage = "Emit the traces.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            CaptureOptions.CheckTraceDuration(Duration);
        }
        catch (ArgumentException error)
        {
            ThrowTerminating(error, Duration);
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        FlowQuery? query = ParameterSetName == BySelector
            ? BuildQuery("No flow is specified. Pipe flows in, or use -Protocol, -SrcAddress, -DstAddress, -SrcPort or -DstPort. " +
                "'Start-ConntrackCapture -Trace Flows' traces each flow.")
            : null;
        if (FindCapture() is not Capture capture)
        {
            return;
        }

        if (query is not null)
        {
            Enable(capture, query, () => capture.EnableTrace(query, Duration, StopToken), error => ErrorCatalog.TraceSelectorInvalid(error, query));
            return;
        }

        foreach (Flow flow in InputObject)
        {
            if (StopToken.IsCancellationRequested)
            {
                return;
            }

            Enable(capture, flow, () => capture.EnableTrace(flow, Duration, StopToken), error => ErrorCatalog.Record(error, flow));
        }
    }

    private void Enable(Capture capture, object target, Func<(FlowTrace Trace, bool WasActive)> enable, Func<ArgumentException, ErrorRecord> refused)
    {
        if (!ShouldProcess($"{target}, by {capture.Name}", $"Trace for {Duration}"))
        {
            return;
        }

        try
        {
            (FlowTrace trace, bool wasActive) = enable();
            if (wasActive)
            {
                WriteWarning($"{trace.Target} is already traced, as number {trace.Id} of {capture.Name}. Its time starts again.");
            }

            if (PassThru)
            {
                WriteObject(trace);
            }
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.FlowNotTraceable)
        {
            WriteError(ErrorCatalog.Record(error, target));
        }
        catch (ConntrackException error)
        {
            // An error here would fail every following flow as well.
            ThrowTerminating(error, target);
        }
        catch (ArgumentException error)
        {
            WriteError(refused(error));
        }
    }
}
