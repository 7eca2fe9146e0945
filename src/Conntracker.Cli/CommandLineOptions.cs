using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Conntracker.Core.Export;

namespace Conntracker.Cli;

/// <summary>The program's options, and what they mean to the engine.</summary>
internal sealed class CommandLineOptions
{
    private const string DefaultLog = "/tmp/conntracker.log";

    private readonly Option<bool> _foreground = new("--foreground", "-f") { Description = "Stay in the foreground. This is what it always does; the option is there for scripts of its ancestors." };
    private readonly Option<bool> _conntrackOnly = new("--conntrack-only", "-c") { Description = "Connection tracking only: nothing is traced, whatever else is asked for" };
    private readonly Option<bool> _trace = new("--trace", "-t") { Description = "Trace each flow through the firewall's rules, for a time after its first packet" };
    private readonly Option<bool> _everything = new("--everything", "-e") { Description = "With -t: trace every packet, instead of those of each flow for a time" };
    private readonly Option<TimeSpan?> _traceDuration = new("--trace-duration") { Description = "With -t: for how many seconds each flow is traced, 1 to 86400; 30 when not given", HelpName = "SECONDS", CustomParser = ParseTraceSeconds };
    private readonly Option<string> _output = new("--output", "-o") { Description = "Where the log goes; - is standard output", HelpName = "FILE|-", DefaultValueFactory = _ => DefaultLog };
    private readonly Option<LogStyle> _style = new("--style") { Description = "Generation of the text log: v1, v2 or v3", HelpName = "v1|v2|v3", DefaultValueFactory = _ => LogStyle.V3, CustomParser = ParseName<LogStyle> };
    private readonly Option<LogFormat> _format = new("--format") { Description = "Format of the log: text, json (one array), jsonlines or csv", HelpName = "text|json|jsonlines|csv", DefaultValueFactory = _ => LogFormat.Text, CustomParser = ParseFormat };
    private readonly Option<TimeSpan?> _duration = new("--duration") { Description = "End after so many seconds; without it at Ctrl+C or SIGTERM", HelpName = "SECONDS", CustomParser = ParseSeconds };
    private readonly Option<string?> _netns = new("--netns") { Description = "Capture in this network namespace: a name as 'ip netns' shows it, or a path", HelpName = "NAME" };
    private readonly Option<bool> _accounting = new("--accounting") { Description = "Have the kernel count packets and bytes meanwhile; the setting is put back at the end" };
    private readonly Option<bool> _resolveProcess = new("--resolve-process", "-b") { Description = "Name the process behind each flow that begins or ends on this host (eBPF)" };
    private readonly Option<int> _bufferSize = new("--buffer-size") { Description = "Receive buffer of the event socket in bytes; K, M and G are understood", HelpName = "BYTES", DefaultValueFactory = _ => new CaptureOptions().BufferSize, CustomParser = ParseSize };
    private readonly Option<int> _maximumFlows = new("--max-flows") { Description = "Flows to hold before the oldest closed ones are folded into services", HelpName = "N", DefaultValueFactory = _ => new CaptureOptions().MaximumFlows, CustomParser = ParseFlows };
    private readonly Option<string?> _record = new("--record") { Description = "Record every message of the kernel into a new file, to be replayed later", HelpName = "FILE" };
    private readonly Option<string?> _replay = new("--replay") { Description = "Replay a recording instead of capturing; needs no privilege", HelpName = "FILE" };
    private readonly Option<bool> _stats = new("--stats") { Description = "Print the receipt at the end: events seen, lost and repaired" };
    private readonly Option<string?> _tree = new("--tree") { Description = "Keep a tree of empty files for firewall rules in this folder while the capture runs: {in,out,else}/PROTOCOL/SOURCE-PORT-DESTINATION-PORT. Without -o no log is written then", HelpName = "DIR" };
    private readonly Option<bool> _skipElse = new("--skip-else") { Description = "With --tree: leave out what neither comes in nor goes out" };
    private readonly Option<InternetFolding> _foldInternet = new("--fold-internet") { Description = "With --tree: of which flows the far end becomes INTERNET where its address is routed there", HelpName = "both|in|out|none", DefaultValueFactory = _ => InternetFolding.Both, CustomParser = ParseName<InternetFolding> };
    private readonly RootCommand _root;

    /// <summary>Makes the options.</summary>
    public CommandLineOptions()
    {
        _root = new RootCommand("Captures every flow that the connection tracking of the kernel sees, and writes a sorted log of them at its end. SIGUSR1 writes the log so far.")
        {
            _foreground, _output, _conntrackOnly, _trace, _everything, _traceDuration, _style, _format, _duration, _netns, _accounting, _resolveProcess, _bufferSize, _maximumFlows, _record, _replay, _stats, _tree, _skipElse, _foldInternet,
        };
        _root.Validators.Add(Validate);
        _root.SetAction(parsed => Run.Execute(Bind(parsed)));
    }

    /// <summary>Reads the command line.</summary>
    public ParseResult Parse(string[] args) => _root.Parse(args);

    private RunOptions Bind(ParseResult parsed) => new(
        new CaptureOptions
        {
            NetworkNamespace = parsed.GetValue(_netns),
            Accounting = parsed.GetValue(_accounting),
            Trace = parsed.GetValue(_conntrackOnly) || !parsed.GetValue(_trace) ? TraceMode.None
                : parsed.GetValue(_everything) ? TraceMode.Everything
                : TraceMode.Flows,
            TraceDuration = parsed.GetValue(_traceDuration) ?? new CaptureOptions().TraceDuration,
            ResolveProcess = parsed.GetValue(_resolveProcess),
            BufferSize = parsed.GetValue(_bufferSize),
            MaximumFlows = parsed.GetValue(_maximumFlows),
            RecordPath = parsed.GetValue(_record),
            ReplayPath = parsed.GetValue(_replay),
            Duration = parsed.GetValue(_duration),
        },
        parsed.GetValue(_tree) is not null && parsed.GetResult(_output) is not { Implicit: false } ? null : parsed.GetValue(_output) ?? DefaultLog,
        parsed.GetValue(_format),
        parsed.GetValue(_style),
        parsed.GetValue(_stats),
        parsed.GetValue(_tree),
        new FlowTreeOptions { SkipElse = parsed.GetValue(_skipElse), FoldInternet = parsed.GetValue(_foldInternet), MaximumEntries = parsed.GetValue(_maximumFlows) });

    private void Validate(CommandResult command)
    {
        bool replays = command.GetResult(_replay) is { Implicit: false };
        Option[] liveOnly = [_netns, _accounting, _resolveProcess, _record, _duration, _trace, _everything, _traceDuration];
        foreach (Option option in liveOnly.Where(each => replays && command.GetResult(each) is { Implicit: false }))
        {
            command.AddError($"{option.Name} does not go with --replay: a replay reads a recording and nothing else.");
        }

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

        ValidateTree(command);
    }

    private void ValidateTree(CommandResult command)
    {
        bool hasTree = command.GetResult(_tree) is { Implicit: false };
        Option[] treeOnly = [_skipElse, _foldInternet];
        foreach (Option option in treeOnly.Where(each => !hasTree && command.GetResult(each) is { Implicit: false }))
        {
            command.AddError($"{option.Name} goes with {_tree.Name}: only a tree is folded for firewall rules.");
        }

        Option[] logOnly = [_format, _style];
        foreach (Option option in logOnly.Where(each => hasTree && command.GetResult(each) is { Implicit: false } && command.GetResult(_output) is not { Implicit: false }))
        {
            command.AddError($"{option.Name} goes with a log, and with {_tree.Name} one is written only where {_output.Name} (-o) says.");
        }
    }

    private static T ParseName<T>(ArgumentResult result)
        where T : struct, Enum
    {
        string text = result.Tokens[0].Value;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(value.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{text}' is none of {string.Join(", ", Enum.GetNames<T>().Where(name => name != nameof(LogFormat.Tree)).Select(name => name.ToLowerInvariant()))}.");
        return default;
    }

    private static LogFormat ParseFormat(ArgumentResult result)
    {
        if (string.Equals(result.Tokens[0].Value, nameof(LogFormat.Tree), StringComparison.OrdinalIgnoreCase))
        {
            result.AddError("--format: a tree is a folder, not a log: --tree DIR keeps one.");
            return default;
        }

        return ParseName<LogFormat>(result);
    }

    private static TimeSpan? ParseSeconds(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds > 0
            && seconds < TimeSpan.MaxValue.TotalSeconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{text}' is not a number of seconds above 0.");
        return null;
    }

    private static TimeSpan? ParseTraceSeconds(ArgumentResult result)
    {
        TimeSpan? duration = ParseSeconds(result);
        if (duration < CaptureOptions.MinimumTraceDuration || duration > CaptureOptions.MaximumTraceDuration)
        {
            result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{result.Tokens[0].Value}' is not a number of seconds from 1 to 86400.");
        }

        return duration;
    }

    private static int ParseSize(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!ByteSize.TryParse(text, out int bytes) || bytes is < CaptureOptions.MinimumBufferSize or > CaptureOptions.MaximumBufferSize)
        {
            result.AddError($"--buffer-size: '{text}' is not a size from {CaptureOptions.MinimumBufferSize} bytes to 1G. Write 8388608, 8192K or 8M.");
        }

        return bytes;
    }

    private static int ParseFlows(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int flows)
            || flows is < CaptureOptions.MinimumOfMaximumFlows or > CaptureOptions.MaximumOfMaximumFlows)
        {
            result.AddError($"--max-flows: '{text}' is not a number from {CaptureOptions.MinimumOfMaximumFlows} to {CaptureOptions.MaximumOfMaximumFlows}.");
        }

        return flows;
    }
}
