using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Waits until captures have ended, and emits them.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Wait, "ConntrackCapture", DefaultParameterSetName = ByName)]
[OutputType(typeof(Capture))]
public sealed class WaitConntrackCaptureCommand : CaptureCmdlet
{
    private long _deadline = long.MaxValue;

    /// <summary>The captures to wait for.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The captures to wait for.")]
    public Capture[]? Capture { get; set; }

    /// <summary>The maximum time to wait, for all together.</summary>
    [Parameter(HelpMessage = "The maximum time to wait, for all captures together: seconds, or 30s, 5m. Captures that have not ended by then are not emitted.")]
    [Duration]
    public TimeSpan? Timeout { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        _deadline = Timeout is TimeSpan timeout ? Environment.TickCount64 + (long)timeout.TotalMilliseconds : long.MaxValue;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (Capture capture in Resolve(Capture))
        {
            bool hasEnded = RunWithProgress(
                $"Waiting for {capture.Name}",
                () => $"{capture.FlowCount} flows, {capture.Events} events, {capture.Lost} lost",
                cancellation => WaitFor(capture, cancellation));
            if (hasEnded)
            {
                WriteObject(capture);
            }
        }
    }

    private bool WaitFor(Capture capture, CancellationToken cancellation)
    {
        long left = Math.Clamp(_deadline - Environment.TickCount64, 0, int.MaxValue);
        return capture.Wait(_deadline == long.MaxValue ? System.Threading.Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(left), cancellation);
    }
}
