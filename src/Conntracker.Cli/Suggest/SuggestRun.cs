using System.Globalization;
using System.Text;

namespace Conntracker.Cli.Suggest;

/// <summary>A run of the command <c>suggest</c>.</summary>
internal static class SuggestRun
{
    /// <summary>Reads or captures flows, makes the policy, proves it, and writes it.</summary>
    /// <returns>The exit code.</returns>
    public static int Execute(SuggestOptions options)
    {
        try
        {
            bool isComplete = true;
            IReadOnlyList<Flow> flows = options.Logs.Count > 0 ? Read(options.Logs, ref isComplete) : Capture(options.Capture, ref isComplete);
            FirewallPolicy policy = FirewallPolicy.Suggest(flows, options.Policy);
            if (policy.Omitted.Any(each => each.Reason == FlowOmissionReason.DirectionUnknown))
            {
                Messages.Notice("the direction of some flows is not known, and no rule accepts them. Name the host's own addresses with --own-address.");
            }

            if (options.Proves)
            {
                Prove(policy);
            }

            OutputFile.Write(options.Output, Encoding.UTF8.GetBytes($"{policy}\n"));
            return isComplete ? ExitCode.Success : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            Messages.Error("stopped by a signal before the ruleset was proved; none was written.");
            return ExitCode.Failed;
        }
    }

    private static List<Flow> Read(IReadOnlyList<string> logs, ref bool isComplete)
    {
        List<Flow> flows = [];
        int errors = 0;
        foreach (string log in logs)
        {
            using FileStream file = new(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            flows.AddRange(FlowReader.Read(file, format: null, error =>
            {
                errors++;
                Messages.Error($"{log}: {error.Message}");
            }));
        }

        isComplete &= errors == 0;
        return flows;
    }

    // The first signal ends the capture, and the policy is made of what was captured.
    private static List<Flow> Capture(CaptureOptions options, ref bool isComplete)
    {
        using SignalQueue signals = new();
        using CaptureSession session = CaptureSession.Start(options, signals.Stopping);
        session.Notices.Listen(Messages.Notice);
        try
        {
            session.Wait(Timeout.InfiniteTimeSpan, signals.Stopping);
        }
        catch (OperationCanceledException)
        {
            session.Stop();
        }

        if (session.Error is Exception error)
        {
            Messages.Error($"the capture ended early: {ErrorText.Of(error)}");
            isComplete = false;
        }

        return [.. session.GetFlows(new FlowQuery())];
    }

    private static void Prove(FirewallPolicy policy)
    {
        using SignalQueue signals = new();
        FirewallPolicyProof proof = policy.Prove(signals.Stopping);
        Messages.Progress(string.Create(CultureInfo.InvariantCulture,
            $"proved: {proof.Flows} different flows are accepted, and {proof.Neighbours} neighbours that were not seen are not."));
        foreach (FlowTest test in proof.Unproved)
        {
            Messages.Notice($"the flow {test.Flow} could not be proved: {test.Reason}");
        }
    }
}
