using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Stops captures; their flows stay until they are removed.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Stop, "ConntrackCapture", SupportsShouldProcess = true, DefaultParameterSetName = ByName)]
[OutputType(typeof(Capture))]
public sealed class StopConntrackCaptureCommand : CaptureCmdlet
{
    /// <summary>The captures to stop.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures to stop.")]
    public Capture[]? Capture { get; set; }

    /// <summary>Emit the stopped captures.</summary>
    [Parameter(HelpMessage = "Emit the stopped captures.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (Capture capture in Resolve(Capture))
        {
            if (!ShouldProcess(capture.Name, "Stop capture"))
            {
                continue;
            }

            RunWithProgress($"Stopping {capture.Name}", () => $"{capture.Events} events", _ =>
            {
                capture.Stop();
                return true;
            });
            if (PassThru)
            {
                WriteObject(capture);
            }
        }
    }
}
