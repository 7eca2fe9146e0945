using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Gets what captures trace: until when, and the results so far.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "FlowTrace", DefaultParameterSetName = ByName)]
[OutputType(typeof(FlowTrace))]
public sealed class GetFlowTraceCommand : CaptureCmdlet
{
    /// <summary>The captures whose traces are emitted.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures to get traces from.")]
    public Capture[]? Capture { get; set; }

    /// <summary>The numbers of traces.</summary>
    [Parameter(HelpMessage = "The numbers of the traces. 0 is the trace that the capture was started with.")]
    [ArgumentCompleter(typeof(TraceIdCompleter))]
    public int[]? Id { get; set; }

    /// <summary>Only active traces.</summary>
    [Parameter(HelpMessage = "Emit only active traces.")]
    public SwitchParameter Active { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        IReadOnlyList<Capture> captures = Resolve(Capture);
        if (captures.Count == 0)
        {
            if (Name is null)
            {
                WriteError(ErrorCatalog.CaptureNotFound(name: null));
            }

            return;
        }

        List<FlowTrace> traces = [.. captures.SelectMany(each => each.GetTraces())];
        foreach (int id in Id ?? [])
        {
            if (!traces.Exists(each => each.Id == id))
            {
                WriteError(ErrorCatalog.FlowTraceNotFound($"There is no trace {id} in {string.Join(", ", captures.Select(each => each.Name))}.", id));
            }
        }

        foreach (FlowTrace trace in traces)
        {
            if ((Id is null || Id.Contains(trace.Id)) && (!Active || trace.IsActive))
            {
                WriteObject(trace);
            }
        }
    }
}
