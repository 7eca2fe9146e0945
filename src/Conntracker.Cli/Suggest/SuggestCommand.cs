using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;

namespace Conntracker.Cli.Suggest;

/// <summary>The command <c>suggest</c>: a ruleset that accepts the flows of a capture or of logs.</summary>
internal static class SuggestCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Argument<string[]> logs = new("log")
        {
            Description = "Logs that conntracker has written, of any format but the tree; without logs, a capture",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<TimeSpan?> duration = new("--duration")
        {
            Description = "Capture for this time; default: until Ctrl+C or SIGTERM",
            HelpName = "SECONDS",
            CustomParser = OptionParsers.Seconds,
        };
        Option<string?> replay = new("--replay") { Description = "Replay a recording instead of capturing", HelpName = "FILE" };
        Option<string?> netns = new("--netns")
        {
            Description = "Capture in this network namespace: a name from 'ip netns', or a path",
            HelpName = "NAME",
        };
        Option<bool> trace = new("--trace", "-t")
        {
            Description = "Trace each flow of the capture through the firewall's rules: what a rule drops is not accepted",
        };
        Option<bool> process = new("--resolve-process", "-b") { Description = "Name the processes of the capture in the comments (eBPF)" };
        Option<string> output = new("--output", "-o")
        {
            Description = "Output file; - is standard output",
            HelpName = "FILE|-",
            DefaultValueFactory = _ => LogOutput.StandardOutput,
        };
        Option<FirewallPolicyFormat> format = new("--as")
        {
            Description = "Format of the ruleset: nftables, iptables or json",
            HelpName = "nftables|iptables|json",
            CustomParser = OptionParsers.Name<FirewallPolicyFormat>,
        };
        Option<FirewallPolicyDefault> verdict = new("--default-verdict")
        {
            Description = "What happens to packets that no rule accepts: drop or reject",
            HelpName = "drop|reject",
            CustomParser = OptionParsers.Name<FirewallPolicyDefault>,
        };
        Option<AddressRange[]> prefix = new("--prefix")
        {
            Description = "Network that rules name instead of the hosts seen in it; 0.0.0.0/0 and ::/0 are anybody. Can be repeated",
            HelpName = "NETWORK",
            CustomParser = result => Parse(result, AddressRange.Parse),
        };
        Option<long> minimum = new("--minimum-connections")
        {
            Description = "Services with fewer connections are not accepted",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
            CustomParser = Connections,
        };
        Option<double> widening = new("--maximum-widening")
        {
            Description = "How many pairs of address and port each rule may accept that were not seen",
            HelpName = "N",
            DefaultValueFactory = _ => FirewallPolicyOptions.DefaultMaximumWidening,
            CustomParser = Widening,
        };
        Option<FlowExclusion[]> exclude = new("--exclude")
        {
            Description = "What is not accepted although it was seen: an address or network, a port, a protocol, or udp/161. Can be repeated",
            HelpName = "WHAT",
            CustomParser = result => Parse(result, FlowExclusion.Parse),
        };
        Option<IPAddress[]> own = new("--own-address")
        {
            Description = "An address of the host that the flows do not show; gives flows of a text log their direction. Can be repeated",
            HelpName = "ADDRESS",
            CustomParser = result => Parse(result, IPAddress.Parse),
        };
        Option<bool> noProof = new("--no-proof") { Description = "Do not have the kernel prove the ruleset before it is written" };
        Command command = new("suggest", "Suggests a small ruleset that accepts the flows that were seen, and little else. Nothing is applied.")
        {
            logs, duration, replay, netns, trace, process, output, format, verdict, prefix, minimum, widening, exclude, own, noProof,
        };
        command.Validators.Add(result => Validate(result, logs, replay, [duration, netns, trace, process]));
        command.SetAction(parsed => SuggestRun.Execute(new SuggestOptions(
            parsed.GetValue(logs) ?? [],
            new CaptureOptions
            {
                Duration = parsed.GetValue(duration),
                ReplayPath = parsed.GetValue(replay),
                NetworkNamespace = parsed.GetValue(netns),
                Trace = parsed.GetValue(trace) ? TraceMode.Flows : TraceMode.None,
                ResolveProcess = parsed.GetValue(process),
            },
            new FirewallPolicyOptions
            {
                Format = parsed.GetValue(format),
                DefaultVerdict = parsed.GetValue(verdict),
                Prefixes = parsed.GetValue(prefix) ?? [],
                MinimumConnections = parsed.GetValue(minimum),
                MaximumWidening = parsed.GetValue(widening),
                Exclude = parsed.GetValue(exclude) ?? [],
                OwnAddresses = parsed.GetValue(own) ?? [],
            },
            parsed.GetValue(output) ?? LogOutput.StandardOutput,
            !parsed.GetValue(noProof))));
        return command;
    }

    private static void Validate(CommandResult command, Argument<string[]> logs, Option<string?> replay, Option[] liveOnly)
    {
        bool replays = command.GetResult(replay) is { Implicit: false };
        bool reads = command.GetResult(logs) is { Tokens.Count: > 0 };
        if (replays && reads)
        {
            command.AddError("--replay cannot be used with logs: name either a recording or logs.");
        }

        foreach (Option option in liveOnly.Where(each => command.GetResult(each) is { Implicit: false }))
        {
            if (reads)
            {
                command.AddError($"{option.Name} cannot be used with logs: nothing is captured then.");
            }
            else if (replays)
            {
                command.AddError($"{option.Name} cannot be used with --replay: a replay only reads a recording.");
            }
        }
    }

    private static T[]? Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        List<T> values = [];
        foreach (string text in result.Tokens.SelectMany(each => each.Value.Split(',')))
        {
            try
            {
                values.Add(parse(text));
            }
            catch (FormatException error)
            {
                result.AddError($"{((OptionResult)result.Parent!).Option.Name}: {error.Message}");
            }
        }

        return [.. values];
    }

    private static long Connections(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < 1)
        {
            result.AddError($"--minimum-connections: '{text}' is not a number of connections, 1 or more.");
        }

        return number;
    }

    private static double Widening(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double number)
            || !double.IsFinite(number) || number < 0)
        {
            result.AddError($"--maximum-widening: '{text}' is not a number of addresses × ports, 0 or more.");
        }

        return number;
    }
}
