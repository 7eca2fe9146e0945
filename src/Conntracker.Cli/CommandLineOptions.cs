using System.CommandLine;
using System.CommandLine.Parsing;

namespace Conntracker.Cli;

/// <summary>The program's options, and their conversion to those of the engine.</summary>
internal sealed class CommandLineOptions
{
    private const string DefaultLog = "/tmp/conntracker.log";

    // An argument that begins with @ is what it is, a file's name for one; it does not name a file with further arguments.
    private static readonly ParserConfiguration s_configuration = new() { ResponseFileTokenReplacer = null };

    private readonly Option<bool> _foreground = new("--foreground", "-f")
    {
        Description = "Accepted for compatibility; the program always runs in the foreground",
    };

    private readonly Option<bool> _conntrackOnly = new("--conntrack-only", "-c") { Description = "Connection tracking only: trace nothing, even with -t" };

    private readonly Option<bool> _trace = new("--trace", "-t")
    {
        Description = "Trace each flow through the firewall's rules for a time after its first packet; also shows flows that a rule drops",
    };

    private readonly Option<bool> _everything = new("--everything", "-e") { Description = "With -t: trace every packet" };

    private readonly Option<TimeSpan?> _traceDuration = new("--trace-duration")
    {
        Description = "With -t: how many seconds each flow is traced, 1 to 86400; default 30",
        HelpName = "SECONDS",
        CustomParser = OptionParsers.TraceSeconds,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Log file; - is standard output",
        HelpName = "FILE|-",
        DefaultValueFactory = _ => DefaultLog,
    };

    private readonly Option<LogStyle> _style = new("--style")
    {
        Description = "Version of the text log: v1, v2 or v3",
        HelpName = "v1|v2|v3",
        DefaultValueFactory = _ => LogStyle.V3,
        CustomParser = OptionParsers.Name<LogStyle>,
    };

    private readonly Option<LogFormat> _format = new("--format")
    {
        Description = "Format of the log: text, json (one array), jsonlines or csv",
        HelpName = "text|json|jsonlines|csv",
        DefaultValueFactory = _ => LogFormat.Text,
        CustomParser = OptionParsers.Format,
    };

    private readonly Option<TimeSpan?> _duration = new("--duration")
    {
        Description = "Stop after this time; default: run until Ctrl+C or SIGTERM",
        HelpName = "SECONDS",
        CustomParser = OptionParsers.Seconds,
    };

    private readonly Option<string?> _netns = new("--netns")
    {
        Description = "Capture in this network namespace: a name from 'ip netns', or a path",
        HelpName = "NAME",
    };

    private readonly Option<bool> _accounting = new("--accounting") { Description = "Enable the kernel's packet and byte counters while the capture runs" };

    private readonly Option<bool> _keepTracking = new("--keep-tracking")
    {
        Description = "Keep tracking enabled even when the kernel's table is nearly full and the kernel will drop packets",
    };

    private readonly Option<bool> _resolveProcess = new("--resolve-process", "-b")
    {
        Description = "Show the process behind each flow that begins or ends on this host (eBPF)",
    };

    private readonly Option<int> _bufferSize = new("--buffer-size")
    {
        Description = "Size of the kernel buffer for unread events or packets, in bytes or with the suffix K, M or G",
        HelpName = "BYTES",
        DefaultValueFactory = _ => new CaptureOptions().BufferSize,
        CustomParser = OptionParsers.Size,
    };

    private readonly Option<int> _maximumFlows = new("--max-flows")
    {
        Description = "Maximum number of flows, and of entries in a tree; beyond it flows are folded, unanswered ones first",
        HelpName = "N",
        DefaultValueFactory = _ => new CaptureOptions().MaximumFlows,
        CustomParser = OptionParsers.Flows,
    };

    private readonly Option<string?> _record = new("--record") { Description = "Record kernel messages, or packet headers, to a new file", HelpName = "FILE" };

    private readonly Option<string?> _replay = new("--replay")
    {
        Description = "Replay a recording instead of capturing; requires no privileges",
        HelpName = "FILE",
    };

    private readonly Option<bool> _stats = new("--stats") { Description = "Print the capture's counters (seen, lost, repaired) to standard error at exit" };

    private readonly Option<bool> _quiet = new("--quiet", "-q")
    {
        Description = "Do not print messages about the start of the capture and the written log; notes and errors are still printed",
    };

    private readonly PacketOptions _packets = new();
    private readonly TreeOptions _tree = new();
    private readonly RootCommand _root;

    /// <summary>Creates the options.</summary>
    public CommandLineOptions()
    {
        _root = new RootCommand("Captures every flow that the kernel's connection tracking sees, or builds flows from packets of an interface or a capture " +
            "file, and writes a sorted log at exit. SIGUSR1 writes the log so far.")
        {
            _foreground, _output, _conntrackOnly, _trace, _everything, _traceDuration, _style, _format, _duration,
            _netns, _accounting, _keepTracking, _resolveProcess, _bufferSize, _maximumFlows, _record, _replay, _stats, _quiet,
        };
        foreach (Option option in _packets.All.Concat(_tree.All))
        {
            _root.Options.Add(option);
        }

        foreach (Command command in Subcommands.All())
        {
            _root.Subcommands.Add(command);
        }

        _root.Validators.Add(Validate);
        _root.SetAction(parsed => Run.Execute(Bind(parsed)));
    }

    /// <summary>All options, in the order of the help.</summary>
    public IEnumerable<Option> All => _root.Options;

    /// <summary>The commands beside the capture, in the order of the help.</summary>
    public IEnumerable<Command> Commands => _root.Subcommands;

    /// <summary>Reads the command line.</summary>
    public ParseResult Parse(string[] args) => _root.Parse(args, s_configuration);

    /// <summary>What a command line without errors asks the program to do.</summary>
    public RunOptions Bind(ParseResult parsed) => new(
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
        // The options that were typed, by the option of the engine that they set.
        ILookup<string, Option> given = new (string Name, Option Option)[]
        {
            (nameof(CaptureOptions.NetworkNamespace), _netns),
            (nameof(CaptureOptions.Source), _conntrackOnly),
            (nameof(CaptureOptions.Accounting), _accounting),
            (nameof(CaptureOptions.KeepTracking), _keepTracking),
            (nameof(CaptureOptions.ResolveProcess), _resolveProcess),
            (nameof(CaptureOptions.Trace), _trace),
            (nameof(CaptureOptions.Trace), _everything),
            (nameof(CaptureOptions.TraceDuration), _traceDuration),
            (nameof(CaptureOptions.RecordPath), _record),
            (nameof(CaptureOptions.ReplayPath), _replay),
            (nameof(CaptureOptions.Duration), _duration),
        }.Concat(_packets.ByProperty).Where(each => command.GetResult(each.Option) is { Implicit: false }).ToLookup(each => each.Name, each => each.Option);
        CaptureSource? source = given.Contains(nameof(CaptureOptions.Source)) ? CaptureSource.Conntrack : null;
        foreach (CaptureConflict conflict in CaptureConflict.Among(given.Select(each => each.Key).ToHashSet(), source))
        {
            foreach (Option option in given[conflict.Option])
            {
                command.AddError(conflict.Describe(name => name == conflict.Option ? option.Name : given[name].First().Name, _packets.Choice));
            }
        }

        Option[] traceOnly = [_everything, _traceDuration];
        foreach (Option option in traceOnly.Where(each => command.GetResult(each) is { Implicit: false } && !command.GetValue(_trace)))
        {
            command.AddError($"{option.Name} requires --trace (-t).");
        }

        if (command.GetResult(_traceDuration) is { Implicit: false } && command.GetValue(_everything))
        {
            command.AddError($"{_traceDuration.Name} cannot be used with {_everything.Name}, which traces every packet as long as the capture runs.");
        }

        // Compared as text: the value of an option that failed to parse cannot be read.
        bool isOtherFormat = command.GetResult(_format) is { Implicit: false, Tokens: [{ Value: string format }, ..] }
            && Enum.TryParse(format, ignoreCase: true, out LogFormat named) && named != LogFormat.Text;
        if (command.GetResult(_style) is { Implicit: false } && isOtherFormat)
        {
            command.AddError("--style requires --format text: only the text log has versions.");
        }

        _tree.Validate(command, _output, _format, _style);
    }
}
