using System.CommandLine;
using System.CommandLine.Parsing;

namespace Conntracker.Cli;

/// <summary><c>conntracker try</c>: tests what a ruleset does to flows.</summary>
internal sealed class TryCommand
{
    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = "The ruleset: a file of nft, or files of iptables-save and ip6tables-save, loaded together",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<bool> _current = new("--current") { Description = "Test the ruleset that is loaded now, of nftables and iptables together" };

    private readonly Option<string[]> _compare = new("--compare")
    {
        Description = "Compare with the ruleset in this file, and show only flows whose verdict or rule differs; for several files, repeat it",
        HelpName = "FILE",
    };

    private readonly Option<bool> _compareCurrent = new("--compare-current") { Description = "Compare with the ruleset that is loaded now" };

    private readonly Option<string?> _host = new("--host")
    {
        Description = "The host that the ruleset is for, as 'conntracker host' describes it; default: this one",
        HelpName = "FILE",
    };

    private readonly Option<string?> _netns = new("--netns")
    {
        Description = "Use interfaces, loaded ruleset and connections of this network namespace: a name from 'ip netns', or a path",
        HelpName = "NAME",
    };

    private readonly Option<string?> _flows = new("--flows")
    {
        Description = "The flows of this log (text, JSON, JSON lines or CSV) or tree; - is standard input",
        HelpName = "FILE|-",
    };

    private readonly Option<string?> _replay = new("--replay") { Description = "The flows of this recording", HelpName = "FILE" };

    private readonly Option<TimeSpan?> _duration = new("--duration")
    {
        Description = "Capture flows for this time; default: read the kernel's connection table once",
        HelpName = "SECONDS",
        CustomParser = OptionParsers.Seconds,
    };

    private readonly Option<TryFormat> _format = new("--format")
    {
        Description = "Format of the output: text, or json (one object per line)",
        HelpName = "text|json",
        CustomParser = OptionParsers.Name<TryFormat>,
    };

    private readonly Option<bool> _changed = new("--changed")
    {
        Description = "Show only flows that are let through now and were not before, or the reverse",
    };

    private readonly Option<bool> _noReply = new("--no-reply") { Description = "Do not test the answers to accepted packets" };

    private readonly Option<bool> _iptablesNft = new("--iptables-nft")
    {
        Description = "Load files of iptables-save with iptables-nft where they do not say which program wrote them; default: iptables-legacy",
    };

    /// <summary>Creates the command.</summary>
    public TryCommand()
    {
        Command = new Command(
            "try",
            "Tests what a ruleset does to flows, without loading it on this host: the kernel itself answers, in a private network namespace. "
            + "Exit codes: 0 no verdict changes, 3 a verdict changes, 4 a verdict is unknown and no other changes, 1 the test failed, "
            + "2 the command line is wrong.")
        {
            _files, _current, _compare, _compareCurrent, _host, _netns, _flows, _replay, _duration, _format, _changed, _noReply, _iptablesNft,
        };
        Command.Validators.Add(Validate);
        Command.SetAction(parsed => Subcommands.Run(cancellation => TryRun.Execute(Bind(parsed), cancellation)));
    }

    /// <summary>The command, with its options and what it does.</summary>
    public Command Command { get; }

    /// <summary>What a command line without errors asks for.</summary>
    public TryOptions Bind(ParseResult parsed) => new(
        new FirewallPolicyTestOptions
        {
            Paths = parsed.GetValue(_files) ?? [],
            UsesCurrent = parsed.GetValue(_current),
            OldPaths = parsed.GetValue(_compare) ?? [],
            ComparesWithCurrent = parsed.GetValue(_compareCurrent),
            NetworkNamespace = parsed.GetValue(_netns),
            UsesIptablesNft = parsed.GetValue(_iptablesNft),
            TestsReplies = !parsed.GetValue(_noReply),
            OnlyChanged = parsed.GetValue(_changed),
        },
        parsed.GetValue(_host),
        parsed.GetValue(_flows),
        parsed.GetValue(_replay),
        parsed.GetValue(_duration),
        parsed.GetValue(_format));

    private void Validate(CommandResult command)
    {
        bool hasFiles = command.GetResult(_files) is { Tokens.Count: > 0 };
        if (hasFiles && command.GetValue(_current))
        {
            command.AddError($"{_current.Name} cannot be used with files: either is the ruleset to test.");
        }

        if (!hasFiles && !command.GetValue(_current))
        {
            command.AddError($"no ruleset is given: name its files, or use {_current.Name}.");
        }

        if (command.GetResult(_compare) is { Implicit: false } && command.GetValue(_compareCurrent))
        {
            command.AddError($"{_compare.Name} cannot be used with {_compareCurrent.Name}.");
        }

        Option[] sources = [.. ((Option[])[_flows, _replay, _duration]).Where(each => command.GetResult(each) is { Implicit: false })];
        if (sources.Length > 1)
        {
            command.AddError($"{sources[0].Name} cannot be used with {sources[1].Name}: the flows come from one of them.");
        }
    }
}
