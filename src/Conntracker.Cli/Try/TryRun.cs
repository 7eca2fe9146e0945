namespace Conntracker.Cli;

/// <summary>A run of <c>conntracker try</c>: reads flows, tests them, and prints what the ruleset does to each.</summary>
internal static class TryRun
{
    /// <summary>Runs the test.</summary>
    /// <returns>The exit code: see <see cref="CodeOf"/>.</returns>
    public static int Execute(TryOptions options, CancellationToken cancellation)
    {
        IEnumerable<Flow> flows = TryFlows.Read(options, cancellation);
        FirewallHost? host = options.HostPath is null ? null : FirewallHost.Load(options.HostPath);
        using FirewallPolicyTest test = FirewallPolicyTest.Start(options.Test with { Host = host }, cancellation);
        foreach (string notice in test.Notices)
        {
            Messages.Notice(notice);
        }

        using Stream output = Console.OpenStandardOutput();
        using StreamWriter writer = new(output) { NewLine = "\n" };
        foreach (FlowTest each in test.Test(flows, cancellation))
        {
            if (options.Format == TryFormat.Json)
            {
                writer.Write(FlowTestJson.Format(each));
                writer.Write('\n');
            }
            else
            {
                FlowTestText.Write(writer, each, options.Test.Compares);
            }

            // Flows of standard input may come one by one.
            writer.Flush();
        }

        cancellation.ThrowIfCancellationRequested();
        if (test.Tested == 0)
        {
            Messages.Error("there are no flows to test.");
            return ExitCode.Failed;
        }

        Messages.Progress(Summary(test));
        return CodeOf(test.Changed, test.Unknown);
    }

    /// <summary>The exit code of a run that came to its end: a CI job must notice a changed verdict, and one that is not known.</summary>
    /// <param name="changed">For how many flows the verdict changes.</param>
    /// <param name="unknown">For how many flows a verdict is unknown.</param>
    public static int CodeOf(long changed, long unknown) => changed > 0 ? ExitCode.Changed : unknown > 0 ? ExitCode.Unknown : ExitCode.Success;

    private static string Summary(FirewallPolicyTest test) =>
        $"{Count(test.Tested)} tested; the verdict changes for {test.Changed}, and is unknown for {test.Unknown}.";

    private static string Count(long flows) => flows == 1 ? "1 flow" : $"{flows} flows";
}
