using System.Management.Automation;
using Conntracker.Core.Capture;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Starts a capture of the kernel's flows in the background.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Start, "ConntrackCapture", SupportsShouldProcess = true, DefaultParameterSetName = Live)]
[OutputType(typeof(Capture))]
public sealed class StartConntrackCaptureCommand : ConntrackCmdlet
{
    private const string Live = "Live";
    private const string Replay = "Replay";

    /// <summary>The capture's name.</summary>
    [Parameter(Position = 0, HelpMessage = "The capture's name; Capture1, Capture2, … when none is given.")]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The network namespace to capture in.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "The network namespace to capture in: a name as 'ip netns' shows it, or a path.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <summary>The protocols to keep.</summary>
    [Parameter(HelpMessage = "The protocols to keep, by name or number; all when none is given.")]
    [Protocol]
    public FlowProtocol[] Protocol { get; set; } = [];

    /// <summary>Count packets and bytes.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Have the kernel count packets and bytes while the capture runs; the setting is put back at its end.")]
    public SwitchParameter Accounting { get; set; }

    /// <summary>Find the processes.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Name the process behind each flow that begins or ends on this host, with eBPF programs.")]
    public SwitchParameter ResolveProcess { get; set; }

    /// <summary>Which packets are traced.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Which packets are traced through the firewall's rules: none, those of each flow for a time, or all.")]
    public TraceMode Trace { get; set; } = TraceMode.None;

    /// <summary>How long each flow is traced.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "With -Trace Flows: for how long each flow is traced: seconds, or 30s, 5m; 1s to 1d.")]
    [Duration]
    public TimeSpan? TraceDuration { get; set; }

    /// <summary>The flow limit.</summary>
    [Parameter(HelpMessage = "How many flows are held before the oldest closed ones are folded into services.")]
    [ValidateRange(CaptureOptions.MinimumOfMaximumFlows, CaptureOptions.MaximumOfMaximumFlows)]
    public int MaximumFlows { get; set; } = new CaptureOptions().MaximumFlows;

    /// <summary>The receive buffer.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "The receive buffer of the event socket in bytes, for example 128MB.")]
    [ValidateRange(CaptureOptions.MinimumBufferSize, CaptureOptions.MaximumBufferSize)]
    public int BufferSize { get; set; } = new CaptureOptions().BufferSize;

    /// <summary>The file to record to.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "A new file that gets every message of the kernel, to be replayed later.")]
    [ValidateNotNullOrEmpty]
    public string? RecordPath { get; set; }

    /// <summary>The recording to replay.</summary>
    [Parameter(ParameterSetName = Replay, Mandatory = true, ValueFromPipelineByPropertyName = true, HelpMessage = "A recording to replay instead of capturing.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string? ReplayPath { get; set; }

    /// <summary>How long the capture runs.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "How long the capture runs: seconds, or 30s, 5m, 2h; until it is stopped when not given.")]
    [Duration]
    public TimeSpan? Duration { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (TraceDuration is not null && Trace != TraceMode.Flows)
        {
            ThrowTerminating(new ArgumentException("-TraceDuration says how long each flow is traced: it goes with '-Trace Flows' only."), TraceDuration);
        }

        string where = ReplayPath is not null ? $"Recording {ReplayPath}" : $"Network namespace {NetworkNamespace ?? "of this process"}";
        if (!ShouldProcess(where, ReplayPath is not null ? "Replay" : "Capture flows"))
        {
            return;
        }

        try
        {
            CaptureOptions options = new()
            {
                NetworkNamespace = NetworkNamespace,
                Protocols = Protocol,
                Accounting = Accounting,
                ResolveProcess = ResolveProcess,
                Trace = Trace,
                TraceDuration = TraceDuration ?? new CaptureOptions().TraceDuration,
                MaximumFlows = MaximumFlows,
                BufferSize = BufferSize,
                RecordPath = RecordPath is null ? null : GetUnresolvedProviderPathFromPSPath(RecordPath),
                ReplayPath = ReplayPath is null ? null : GetUnresolvedProviderPathFromPSPath(ReplayPath),
                Duration = Duration,
            };
            Capture capture = RunWithProgress(
                ReplayPath is null ? "Reading the kernel's connection table" : $"Replaying {ReplayPath}",
                status: null,
                cancellation => CaptureRegistry.Start(Name, options, cancellation));
            foreach (string notice in capture.Notices)
            {
                WriteWarning(notice);
            }

            WriteObject(capture);
        }
        catch (Exception error) when (error is ConntrackException or ArgumentException)
        {
            ThrowTerminating(error, Name ?? ReplayPath ?? NetworkNamespace);
        }
    }
}
