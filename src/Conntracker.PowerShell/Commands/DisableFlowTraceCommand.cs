using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Ends traces of flows before their time.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Disable, "FlowTrace", SupportsShouldProcess = true, DefaultParameterSetName = BySelector)]
[OutputType(typeof(FlowTrace))]
public sealed class DisableFlowTraceCommand : FlowTraceCmdlet
{
    private const string ByTrace = "Trace";
    private const string ById = "Id";

    /// <summary>The traces.</summary>
    [Parameter(ParameterSetName = ByTrace, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The traces to end.")]
    public FlowTrace[] InputObject { get; set; } = [];

    /// <summary>The numbers of traces.</summary>
    [Parameter(ParameterSetName = ById, Mandatory = true, Position = 0, HelpMessage = "The numbers of the traces to end.")]
    [ArgumentCompleter(typeof(ActiveTraceIdCompleter))]
    public int[] Id { get; set; } = [];

    /// <summary>Flows that were enabled.</summary>
    [Parameter(ParameterSetName = ByFlow, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The flows to stop tracing.")]
    public Flow[] Flow { get; set; } = [];

    /// <inheritdoc/>
    [Parameter(ParameterSetName = ById, HelpMessage = "The name of the capture that traces. The default is the only running capture.")]
    [Parameter(ParameterSetName = ByFlow, HelpMessage = "The name of the capture that traces. The default is the only running capture.")]
    [Parameter(ParameterSetName = BySelector, HelpMessage = "The name of the capture that traces. The default is the only running capture.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(CaptureNameCompleter))]
    public override string? Name { get; set; }

    /// <inheritdoc/>
    [Parameter(ParameterSetName = ById, HelpMessage = "The capture that traces.")]
    [Parameter(ParameterSetName = ByFlow, HelpMessage = "The capture that traces.")]
    [Parameter(ParameterSetName = BySelector, ValueFromPipeline = true, HelpMessage = "The capture that traces.")]
    public override Capture? Capture { get; set; }

    /// <summary>Emit the traces.</summary>
    [Parameter(HelpMessage = "Emit the traces with their final counts.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ByTrace)
        {
            foreach (FlowTrace trace in InputObject)
            {
                End(trace);
            }

            return;
        }

        FlowQuery? query = ParameterSetName == BySelector
            ? BuildQuery("No trace is specified. Pipe traces or flows in, or use -Id, or the selectors that the trace was enabled with. " +
                "To end all traces, use 'Get-FlowTrace -Active | Where-Object Id | Disable-FlowTrace'.")
            : null;
        if (FindCapture() is not Capture capture)
        {
            return;
        }

        foreach (int id in Id)
        {
            End(capture, id, $"trace {id}");
        }

        foreach (Flow flow in Flow)
        {
            End(capture, capture.FindTrace(flow), flow);
        }

        if (query is not null)
        {
            End(capture, capture.FindTrace(query), query);
        }
    }

    private void End(FlowTrace trace)
    {
        if (CaptureRegistry.TryFind(trace.Capture, out Capture? capture))
        {
            End(capture, trace.Id, trace.Target);
        }
        else
        {
            WriteError(ErrorCatalog.CaptureNotFound(trace.Capture));
        }
    }

    private void End(Capture capture, FlowTrace? trace, object target)
    {
        if (trace is null)
        {
            WriteError(ErrorCatalog.FlowTraceNotFound($"{capture.Name} has no active trace that was enabled with {target}. " +
                "'Get-FlowTrace -Active' lists all active traces.", target));
        }
        else
        {
            End(capture, trace.Id, trace.Target);
        }
    }

    private void End(Capture capture, int id, string what)
    {
        if (!ShouldProcess($"{what}, by {capture.Name}", "End trace"))
        {
            return;
        }

        try
        {
            if (!capture.DisableTrace(id, StopToken))
            {
                WriteError(ErrorCatalog.FlowTraceNotFound(
                    id == 0 ? $"Trace 0 is the trace that {capture.Name} was started with. It ends with the capture."
                        : $"{capture.Name} has no trace {id}. Get-FlowTrace lists all traces.",
                    id));
            }
            else if (PassThru)
            {
                WriteObject(capture.GetTraces().First(each => each.Id == id));
            }
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (ConntrackException error)
        {
            WriteError(ErrorCatalog.Record(error, capture));
        }
    }
}
