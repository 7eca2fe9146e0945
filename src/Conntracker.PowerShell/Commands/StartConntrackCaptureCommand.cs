using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Starts a capture of flows in the background: of the kernel's connection tracking, or of packets.</para>
/// </summary>
[Cmdlet(VerbsLifecycle.Start, "ConntrackCapture", SupportsShouldProcess = true, DefaultParameterSetName = Live)]
[OutputType(typeof(Capture))]
public sealed class StartConntrackCaptureCommand : ConntrackCmdlet
{
    private const string Live = "Live";
    private const string Packet = "Packet";
    private const string Pcap = "Pcap";
    private const string Replay = "Replay";

    private const string NetworkNamespaceHelp = "The network namespace to capture in: a name from 'ip netns', or a path.";
    private const string FilterHelp = "A filter for the packets to capture, in the syntax of pcap-filter(7): 'tcp port 443'.";
    private const string IncomingUdpPortHelp = "UDP ports of local services. Their traffic is always incoming.";
    private const string ResolveProcessHelp = "Find the process behind each flow that begins or ends on this host, with eBPF programs.";
    private const string BufferSizeHelp = "The size of the kernel buffer for unread events or packets, in bytes, for example 128MB.";
    private const string RecordPathHelp = "A new file for every message of the kernel, or the headers of every packet. Replay it with -ReplayPath.";
    private const string DurationHelp = "How long the capture runs: seconds, or 30s, 5m, 2h. By default it runs until it is stopped.";

    private bool _isReplayTyped;

    /// <summary>The capture's name.</summary>
    [Parameter(Position = 0, HelpMessage = "The capture's name. The default is Capture1, Capture2, …")]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The network namespace to capture in.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = NetworkNamespaceHelp)]
    [Parameter(ParameterSetName = Packet, HelpMessage = NetworkNamespaceHelp)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    public string? NetworkNamespace { get; set; }

    /// <summary>Where flows come from.</summary>
    [Parameter(HelpMessage = "The source of the flows: the kernel's connection tracking, or packets.")]
    public CaptureSource Source { get; set; }

    /// <summary>The interface whose packets are captured.</summary>
    [Parameter(ParameterSetName = Packet, HelpMessage = "The interface to capture packets on, or any. Implies -Source Packet.")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(InterfaceCompleter))]
    public string? Interface { get; set; }

    /// <summary>The capture file to read.</summary>
    [Parameter(ParameterSetName = Pcap, Mandatory = true, ValueFromPipelineByPropertyName = true,
        HelpMessage = "A capture file (pcap, pcapng) to read instead of an interface. Implies -Source Packet.")]
    [ValidateNotNullOrEmpty]
    public string? PcapPath { get; set; }

    /// <summary>Which packets are captured. It is in the set of replays for capture files from the pipeline.</summary>
    [Parameter(ParameterSetName = Packet, HelpMessage = FilterHelp)]
    [Parameter(ParameterSetName = Pcap, HelpMessage = FilterHelp)]
    [Parameter(ParameterSetName = Replay, HelpMessage = FilterHelp)]
    [ValidateNotNullOrEmpty]
    public string? Filter { get; set; }

    /// <summary>UDP ports of the host's own services.</summary>
    [Parameter(ParameterSetName = Packet, HelpMessage = IncomingUdpPortHelp)]
    [Parameter(ParameterSetName = Pcap, HelpMessage = IncomingUdpPortHelp)]
    [Parameter(ParameterSetName = Replay, HelpMessage = IncomingUdpPortHelp)]
    [ValidateRange(1, ushort.MaxValue)]
    public int[] IncomingUdpPort { get; set; } = [];

    /// <summary>Addresses that count as the host's own.</summary>
    [Parameter(HelpMessage = "Local addresses or subnets, in addition to the host's own: 192.0.2.7 or 10.0.0.0/8.")]
    public AddressRange[] LocalAddress { get; set; } = [];

    /// <summary>The protocols to keep.</summary>
    [Parameter(HelpMessage = "The protocols to capture, by name or number. The default is all.")]
    [Protocol]
    public FlowProtocol[] Protocol { get; set; } = [];

    /// <summary>Count packets and bytes.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Enable the kernel's packet and byte counters while the capture runs.")]
    public SwitchParameter Accounting { get; set; }

    /// <summary>Keep tracking when the kernel's table is nearly full.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Keep tracking enabled even when the kernel's table is nearly full.")]
    public SwitchParameter KeepTracking { get; set; }

    /// <summary>Find the processes.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = ResolveProcessHelp)]
    [Parameter(ParameterSetName = Packet, HelpMessage = ResolveProcessHelp)]
    public SwitchParameter ResolveProcess { get; set; }

    /// <summary>Which packets are traced.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "Which packets are traced through the firewall's rules: none, packets of each flow for a time, or all.")]
    public TraceMode Trace { get; set; } = TraceMode.None;

    /// <summary>How long each flow is traced.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = "With -Trace Flows: how long each flow is traced: seconds, or 30s, 5m; 1s to 1d.")]
    [Duration]
    public TimeSpan? TraceDuration { get; set; }

    /// <summary>The flow limit.</summary>
    [Parameter(HelpMessage = "The maximum number of flows. Beyond it, flows are folded into services, unanswered ones first.")]
    [ValidateRange(CaptureOptions.MinimumOfMaximumFlows, CaptureOptions.MaximumOfMaximumFlows)]
    public int MaximumFlows { get; set; } = new CaptureOptions().MaximumFlows;

    /// <summary>The receive buffer.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = BufferSizeHelp)]
    [Parameter(ParameterSetName = Packet, HelpMessage = BufferSizeHelp)]
    [ValidateRange(CaptureOptions.MinimumBufferSize, CaptureOptions.MaximumBufferSize)]
    public int BufferSize { get; set; } = new CaptureOptions().BufferSize;

    /// <summary>The file to record to.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = RecordPathHelp)]
    [Parameter(ParameterSetName = Packet, HelpMessage = RecordPathHelp)]
    [Parameter(ParameterSetName = Pcap, HelpMessage = RecordPathHelp)]
    [ValidateNotNullOrEmpty]
    public string? RecordPath { get; set; }

    /// <summary>The recording to replay.</summary>
    [Parameter(ParameterSetName = Replay, Mandatory = true, ValueFromPipelineByPropertyName = true,
        HelpMessage = "A recording to replay instead of capturing.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string? ReplayPath { get; set; }

    /// <summary>How long the capture runs.</summary>
    [Parameter(ParameterSetName = Live, HelpMessage = DurationHelp)]
    [Parameter(ParameterSetName = Packet, HelpMessage = DurationHelp)]
    [Duration]
    public TimeSpan? Duration { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _isReplayTyped = ReplayPath is not null;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (TraceDuration is not null && Trace != TraceMode.Flows)
        {
            ThrowTerminating(new ArgumentException("-TraceDuration is valid with '-Trace Flows' only: it sets how long each flow is traced."), TraceDuration);
        }

        CaptureOptions options = BuildOptions();
        try
        {
            // Before the confirmation prompt: the user must not confirm what cannot be done.
            if (options.FindConflicts() is [CaptureConflict conflict, ..])
            {
                throw new ArgumentException(conflict.Describe(option => NameOf(option, options), "-Source Packet, -Interface or -PcapPath"));
            }

            options.Validate();
            (string where, string action, string activity) = Describe(options);
            if (!ShouldProcess(where, action))
            {
                return;
            }

            // Read here: the work below runs on another thread.
            Guid owner = ModuleLifetime.Owner;
            Capture capture = RunWithProgress(activity, status: null, cancellation => CaptureRegistry.Start(Name, options, owner, cancellation));
            foreach (string notice in capture.Notices)
            {
                WriteWarning(notice);
            }

            WriteObject(capture);
        }
        catch (Exception error) when (error is ConntrackException or ArgumentException)
        {
            ThrowTerminating(error, Name ?? options.ReplayPath ?? options.PcapPath ?? Interface ?? NetworkNamespace);
        }
    }

    private CaptureOptions BuildOptions()
    {
        string? replay = FileOf(ReplayPath);
        string? pcap = FileOf(PcapPath);

        // A file from the pipeline binds to -ReplayPath, whatever its type, since only one parameter can have the alias for its path: the first bytes
        // decide. A user who types -ReplayPath wants a recording.
        if (!_isReplayTyped && replay is not null && CaptureFile.IsPcap(replay))
        {
            (replay, pcap) = (null, replay);
        }

        bool isSourceTyped = MyInvocation.BoundParameters.ContainsKey(nameof(Source));
        return new CaptureOptions
        {
            NetworkNamespace = NetworkNamespace,
            Source = isSourceTyped ? Source : CaptureOptions.SourceOf(Interface, pcap),
            Interface = Interface,
            Filter = Filter,
            PcapPath = pcap,
            IncomingUdpPorts = IncomingUdpPort,
            LocalAddresses = LocalAddress,
            Protocols = Protocol,
            Accounting = Accounting,
            KeepTracking = KeepTracking,
            ResolveProcess = ResolveProcess,
            Trace = Trace,
            TraceDuration = TraceDuration ?? new CaptureOptions().TraceDuration,
            MaximumFlows = MaximumFlows,
            BufferSize = BufferSize,
            RecordPath = FileOf(RecordPath),
            ReplayPath = replay,
            Duration = Duration,
        };
    }

    // Relative to the user's location, not to the process's directory. Wildcards are taken literally: the path names one file.
    private string? FileOf(string? path) => path is null ? null : GetUnresolvedProviderPathFromPSPath(path);

    // What the user typed. A file from the pipeline was not typed as -ReplayPath.
    private string NameOf(string option, CaptureOptions options) => option switch
    {
        nameof(CaptureOptions.Source) => $"-{nameof(Source)} {options.Source}",
        nameof(CaptureOptions.IncomingUdpPorts) => $"-{nameof(IncomingUdpPort)}",
        nameof(CaptureOptions.ReplayPath) when !_isReplayTyped => $"the recording {options.ReplayPath}",
        _ => $"-{option}",
    };

    // The target, the action, and the text beside the progress bar.
    private static (string Where, string Action, string Activity) Describe(CaptureOptions options)
    {
        string space = options.NetworkNamespace ?? "of this process";
        return options switch
        {
            { ReplayPath: string recording } => ($"Recording {recording}", "Replay", $"Replaying {recording}"),
            { PcapPath: string file } => ($"Capture file {file}", "Read packets", $"Reading capture file {file}"),
            { Source: CaptureSource.Packet } =>
                ($"Interface {options.Interface ?? "any"} of network namespace {space}", "Capture packets", $"Opening interface {options.Interface ?? "any"}"),
            _ => ($"Network namespace {space}", "Capture flows", "Reading the kernel's connection table"),
        };
    }
}
