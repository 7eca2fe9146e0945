using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Removes captures with their flows; a running capture is stopped.</para>
/// </summary>
[Cmdlet(VerbsCommon.Remove, "ConntrackCapture", SupportsShouldProcess = true, DefaultParameterSetName = ByName)]
[OutputType(typeof(void))]
public sealed class RemoveConntrackCaptureCommand : CaptureCmdlet
{
    /// <summary>The captures to remove.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures to remove.")]
    public Capture[]? Capture { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Capture is null && Name is null)
        {
            ThrowTerminating(new ArgumentException("No capture is specified. Use -Name ('*' for all), or pipe captures in."), target: null);
        }

        foreach (Capture capture in Resolve(Capture))
        {
            if (ShouldProcess(capture.Name, $"Remove capture with {capture.FlowCount} flows"))
            {
                RunWithProgress($"Removing {capture.Name}", status: null, _ =>
                {
                    CaptureRegistry.Remove(capture);
                    return true;
                });
            }
        }
    }
}
