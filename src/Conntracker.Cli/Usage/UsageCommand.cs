using System.CommandLine;
using System.Text;

namespace Conntracker.Cli;

/// <summary><c>conntracker usage</c>: traces flows for a time, or replays a recording, and shows how much each rule was used.</summary>
internal static class UsageCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> netns = new("--netns") { Description = "Capture in this network namespace: a name from 'ip netns', or a path", HelpName = "NAME" };
        Option<TimeSpan?> duration = new("--duration")
        {
            Description = "Capture for this time; default: until Ctrl+C or SIGTERM",
            HelpName = "SECONDS",
            CustomParser = OptionParsers.Seconds,
        };
        Option<string?> replay = new("--replay")
        {
            Description = "Read a recording of traced flows instead of capturing; requires no privileges",
            HelpName = "FILE",
        };
        Option<bool> findings = new("--findings") { Description = "Show only rules with a finding" };
        Option<bool> trial = new("--trial") { Description = "Try the loaded rules in a private network namespace, to prove which are shadowed" };
        Option<string> output = new("--output", "-o")
        {
            Description = "Output file; - is standard output",
            HelpName = "FILE|-",
            DefaultValueFactory = _ => LogOutput.StandardOutput,
        };
        Command command = new(
            "usage",
            "Traces each flow through the firewall's rules, then shows how much each rule was used, which are duplicates, and which could be further up.")
        {
            netns, duration, replay, trial, findings, output,
        };
        command.Validators.Add(result =>
        {
            foreach (Option option in (Option[])[netns, duration, trial])
            {
                if (result.GetResult(replay) is { Implicit: false } && result.GetResult(option) is { Implicit: false })
                {
                    result.AddError($"{option.Name} cannot be used with --replay: a replay only reads a recording.");
                }
            }
        });
        command.SetAction(parsed => Subcommands.Run(cancellation => Execute(
            new CaptureOptions
            {
                NetworkNamespace = parsed.GetValue(netns),
                Duration = parsed.GetValue(duration),
                ReplayPath = parsed.GetValue(replay),
                Trace = parsed.GetValue(replay) is null ? TraceMode.Flows : TraceMode.None,
            },
            parsed.GetValue(trial),
            parsed.GetValue(findings),
            parsed.GetValue(output)!,
            cancellation)));
        return command;
    }

    private static int Execute(CaptureOptions options, bool tries, bool onlyFindings, string output, CancellationToken cancellation)
    {
        using CaptureSession session = CaptureSession.Start(options, cancellation);
        session.Notices.Listen(Messages.Notice);
        if (options.ReplayPath is null)
        {
            Messages.Progress(options.Duration is null
                ? "tracing flows; Ctrl+C ends the capture and shows the rules."
                : $"tracing flows for {options.Duration.Value.TotalSeconds:0.#} s; Ctrl+C ends the capture earlier.");
        }

        try
        {
            session.Wait(Timeout.InfiniteTimeSpan, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The signal ends the capture, not the command.
        }

        session.Stop();
        IReadOnlyList<FirewallRule> rules = session.GetFirewallRules();
        bool isKnown = rules.Count > 0 || options.ReplayPath is not null;
        FirewallRuleUsageCounter counter = new(isKnown ? rules : FirewallRules.Read(options.NetworkNamespace, CancellationToken.None));
        foreach (Flow flow in session.GetFlows(FlowQuery.All, CancellationToken.None))
        {
            counter.Add(flow);
        }

        FirewallTrialOptions? trial = tries ? FirewallRuleUsageCounter.ReadTrial(options.NetworkNamespace, CancellationToken.None) : null;
        IEnumerable<FirewallRuleUsage> usages = counter.GetUsage(trial, CancellationToken.None).Where(usage => !onlyFindings || usage.Findings.Count > 0);
        OutputFile.Write(output, Encoding.UTF8.GetBytes(UsageText.Of(usages)));
        foreach (string notice in counter.Notices)
        {
            Messages.Notice(notice);
        }

        if (session.Error is Exception error)
        {
            Messages.Error($"the capture ended early: {ErrorText.Of(error)}");
            return ExitCode.Failed;
        }

        return ExitCode.Success;
    }
}
