using System.Management.Automation;
using System.Threading.Channels;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Streams flows as they appear, until Ctrl+C, a number of flows, or a time.</para>
/// </summary>
[Cmdlet(VerbsCommon.Watch, "ConntrackFlow", DefaultParameterSetName = ByName)]
[OutputType(typeof(Flow))]
public sealed class WatchConntrackFlowCommand : FlowQueryCmdlet
{
    private const string FromKernel = "Live";

    // The longest time that a timer supports: seven weeks. A longer time is no limit.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>The capture to watch.</summary>
    [Parameter(ParameterSetName = ByCapture, Mandatory = true, ValueFromPipeline = true, HelpMessage = "The capture to watch.")]
    public Capture? Capture { get; set; }

    /// <summary>The network namespace to watch with a capture of its own.</summary>
    [Parameter(ParameterSetName = FromKernel, Mandatory = true, HelpMessage = "Watch this network namespace with a temporary capture.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <summary>How many flows to wait for.</summary>
    [Parameter(HelpMessage = "End after this number of flows.")]
    [ValidateRange(1, int.MaxValue)]
    public int Count { get; set; } = int.MaxValue;

    /// <summary>How long to watch.</summary>
    [Parameter(HelpMessage = "End after this time: seconds, or 30s, 5m, 2h.")]
    [Duration]
    public TimeSpan? Duration { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Duration < TimeSpan.Zero)
        {
            ThrowTerminating(new ArgumentException($"The duration {Duration} is negative. Use zero or more."), Duration);
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        bool isNamed = Name is not null || Capture is not null;
        IReadOnlyList<Capture> captures = isNamed
            ? Resolve(Capture is null ? null : [Capture])
            : [.. CaptureRegistry.All.Where(each => each.State == CaptureState.Running)];
        if (ParameterSetName == FromKernel || (!isNamed && captures.Count == 0))
        {
            WatchOwn();
            return;
        }

        if (captures.Count > 1)
        {
            ThrowTerminatingError(ErrorCatalog.CaptureAmbiguous(captures));
        }

        if (captures.Count == 1)
        {
            Watch(captures[0].Subscribe(BuildQuery(since: null)));
        }
    }

    private void WatchOwn()
    {
        try
        {
            // Without a trace no flow has a verdict.
            CaptureOptions options = new() { NetworkNamespace = NetworkNamespace, Trace = Verdict.Length > 0 ? TraceMode.Flows : TraceMode.None };
            using CaptureSession session = RunWithProgress(
                "Reading the kernel's connection table", status: null, cancellation => CaptureSession.Start(options, cancellation));
            foreach (string notice in session.Notices.All())
            {
                WriteWarning(notice);
            }

            Watch(session.Subscribe(BuildQuery(since: null)));
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, NetworkNamespace);
        }
    }

    private void Watch(FlowSubscription subscription)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        if (Duration is TimeSpan duration && duration < s_longestTimer)
        {
            end.CancelAfter(duration);
        }

        using (subscription)
        {
            for (int written = 0; written < Count && Next(subscription.Reader, end.Token) is Flow flow; written++)
            {
                WriteObject(flow);
            }
        }

        if (subscription.Skipped > 0)
        {
            WriteWarning($"{subscription.Skipped} flows arrived faster than the pipeline processed them and were not emitted. The capture contains them.");
        }
    }

    // Null when the time is over, the user has stopped the pipeline, or the capture has ended.
    private static Flow? Next(ChannelReader<Flow> reader, CancellationToken end)
    {
        try
        {
            return reader.TryRead(out Flow? flow) || (reader.WaitToReadAsync(end).AsTask().GetAwaiter().GetResult() && reader.TryRead(out flow))
                ? flow
                : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
