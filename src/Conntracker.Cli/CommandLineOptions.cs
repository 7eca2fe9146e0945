using System.CommandLine;
using System.CommandLine.Parsing;

namespace Conntracker.Cli;

/// <summary>The program's options, and what they mean to the engine.</summary>
internal sealed class CommandLineOptions
{
    private const string DefaultLog = "/tmp/conntracker.log";

    private readonly Option<bool> _foreground = new("--foreground", "-f") { Description = "Accepted for compatibility: it always stays in the foreground" };
    private readonly Option<bool> _conntrackOnly = new("--conntrack-only", "-c") { Description = "Connection tracking only: nothing is traced, whatever else is asked for" };
    private readonly Option<bool> _trace = new("--trace", "-t") { Description = "Trace each flow through the firewall's rules, for a time after its first packet; flows that a rule drops are shown too" };
    private readonly Option<bool> _everything = new("--everything", "-e") { Description = "With -t: trace every packet, instead of those of each flow for a time" };
    private readonly Option<TimeSpan?> _traceDuration = new("--trace-duration") { Description = "With -t: for how many seconds each flow is traced, 1 to 86400; 30 when not given", HelpName = "SECONDS", CustomParser = OptionParsers.TraceSeconds };
    private readonly Option<string> _output = new("--output", "-o") { Description = "Where the log goes; - is standard output", HelpName = "FILE|-", DefaultValueFactory = _ => DefaultLog };
    private readonly Option<LogStyle> _style = new("--style") { Description = "Generation of the text log: v1, v2 or v3", HelpName = "v1|v2|v3", DefaultValueFactory = _ => LogStyle.V3, CustomParser = OptionParsers.Name<LogStyle> };
    private readonly Option<LogFormat> _format = new("--format") { Description = "Format of the log: text, json (one array), jsonlines or csv", HelpName = "text|json|jsonlines|csv", DefaultValueFactory = _ => LogFormat.Text, CustomParser = OptionParsers.Format };
    private readonly Option<TimeSpan?> _duration = new("--duration") { Description = "End after so many seconds; without it at Ctrl+C or SIGTERM", HelpName = "SECONDS", CustomParser = OptionParsers.Seconds };
    private readonly Option<string?> _netns = new("--netns") { Description = "Capture in this network namespace: a name as 'ip netns' shows it, or a path", HelpName = "NAME" };
    private readonly Option<bool> _accounting = new("--accounting") { Description = "Have the kernel count packets and bytes meanwhile; the setting is put back at the end" };
    private readonly Option<bool> _keepTracking = new("--keep-tracking") { Description = "Keep the kernel tracking connections also when its table is nearly full, and packets of new ones will be dropped" };
    private readonly Option<bool> _resolveProcess = new("--resolve-process", "-b") { Description = "Name the process behind each flow that begins or ends on this host (eBPF)" };
    private readonly Option<int> _bufferSize = new("--buffer-size") { Description = "The kernel's buffer of events, or packets, that are still to be read, in bytes; K, M and G are understood", HelpName = "BYTES", DefaultValueFactory = _ => new CaptureOptions().BufferSize, CustomParser = OptionParsers.Size };
    private readonly Option<int> _maximumFlows = new("--max-flows") { Description = "Flows to hold before some are folded into services, unanswered ones first; entries that a tree may have", HelpName = "N", DefaultValueFactory = _ => new CaptureOptions().MaximumFlows, CustomParser = OptionParsers.Flows };
    private readonly Option<string?> _record = new("--record") { Description = "Record every message of the kernel, or the head of every packet, into a new file, to be replayed later", HelpName = "FILE" };
    private readonly Option<string?> _replay = new("--replay") { Description = "Replay a recording instead of capturing; needs no privilege", HelpName = "FILE" };
    private readonly Option<bool> _stats = new("--stats") { Description = "Print the capture's counters on standard error at the end: events or packets seen, lost and repaired" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Do not say that the capture has begun and that the log is written; notes and errors are still shown" };
    private readonly PacketOptions _packets = new();
    private readonly TreeOptions _tree = new();
    private readonly RootCommand _root;

    /// <summary>Makes the options.</summary>
    public CommandLineOptions()
    {
        _root = new RootCommand("Captures every flow that the connection tracking of the kernel sees, or that packets of an interface or a capture file tell, and writes a sorted log of them at its end. SIGUSR1 writes the log so far.")
        {
            _foreground, _output, _conntrackOnly, _trace, _everything, _traceDuration, _style, _format, _duration, _netns, _accounting, _keepTracking, _resolveProcess, _bufferSize, _maximumFlows, _record, _replay, _stats, _quiet,
        };
        foreach (Option option in _packets.All.Concat(_tree.All))
        {
            _root.Options.Add(option);
        }

        _root.Validators.Add(Validate);
        _root.SetAction(parsed => Run.Execute(Bind(parsed)));
    }

    /// <summary>Reads the command line.</summary>
    public ParseResult Parse(string[] args) => _root.Parse(args);

    private RunOptions Bind(ParseResult parsed) => new(
        new CaptureOptions
        {
            NetworkNamespace = parsed.GetValue(_netns),
            Source = _packets.Source(parsed),
            Interface = _packets.Interface(parsed),
            Filter = _packets.Filter(parsed),
            PcapPath = _packets.PcapPath(parsed),
            IncomingUdpPorts = _packets.IncomingUdpPorts(parsed),
            LocalAddresses = _packets.LocalAddresses(parsed),
            Accounting = parsed.GetValue(_accounting),
            Trace = parsed.GetValue(_conntrackOnly) || !parsed.GetValue(_trace) ? TraceMode.None
                : parsed.GetValue(_everything) ? TraceMode.Everything
                : TraceMode.Flows,
            TraceDuration = parsed.GetValue(_traceDuration) ?? new CaptureOptions().TraceDuration,
            KeepTracking = parsed.GetValue(_keepTracking),
            ResolveProcess = parsed.GetValue(_resolveProcess),
            BufferSize = parsed.GetValue(_bufferSize),
            MaximumFlows = parsed.GetValue(_maximumFlows),
            RecordPath = parsed.GetValue(_record),
            ReplayPath = parsed.GetValue(_replay),
            Duration = parsed.GetValue(_duration),
        },
        _tree.Path(parsed) is not null && parsed.GetResult(_output) is not { Implicit: false } ? null : parsed.GetValue(_output) ?? DefaultLog,
        parsed.GetValue(_format),
        parsed.GetValue(_style),
        parsed.GetValue(_stats),
        parsed.GetValue(_quiet),
        _tree.Path(parsed),
        _tree.Bind(parsed, parsed.GetValue(_maximumFlows)));

    private void Validate(CommandResult command)
    {
        bool replays = command.GetResult(_replay) is { Implicit: false };
        Option[] liveOnly = [_netns, _accounting, _keepTracking, _resolveProcess, _record, _duration, _trace, _everything, _traceDuration, .. _packets.NotOfReplays];
        foreach (Option option in liveOnly.Where(each => replays && command.GetResult(each) is { Implicit: false }))
        {
            command.AddError($"{option.Name} does not go with --replay: a replay reads a recording and nothing else.");
        }

        _packets.Validate(command, [_accounting, _keepTracking, _conntrackOnly, _trace, _everything, _traceDuration], [_netns, _duration, _resolveProcess], _replay);

        Option[] traceOnly = [_everything, _traceDuration];
        foreach (Option option in traceOnly.Where(each => command.GetResult(each) is { Implicit: false } && !command.GetValue(_trace)))
        {
            command.AddError($"{option.Name} goes with --trace (-t): without it nothing is traced.");
        }

        if (command.GetResult(_traceDuration) is { Implicit: false } && command.GetValue(_everything))
        {
            command.AddError($"{_traceDuration.Name} does not go with {_everything.Name}: that traces every packet, for as long as the capture runs.");
        }

        // By its text: the value of one that is not understood cannot be asked for.
        bool isOtherFormat = command.GetResult(_format) is { Implicit: false, Tokens: [{ Value: string format }, ..] }
            && Enum.TryParse(format, ignoreCase: true, out LogFormat named) && named != LogFormat.Text;
        if (command.GetResult(_style) is { Implicit: false } && isOtherFormat)
        {
            command.AddError("--style goes with --format text: only the text log has generations.");
        }

        _tree.Validate(command, _output, _format, _style);
    }
}
