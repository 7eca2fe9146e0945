using System.CommandLine;
using Conntracker.Cli.Suggest;

namespace Conntracker.Cli;

/// <summary>
/// The commands beside the capture, which the program does when none is named: <c>conntracker NAME …</c>. Each has a directory of its own, and a class
/// that creates its <see cref="Command"/>.
/// </summary>
internal static class Subcommands
{
    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<Command> All() => [HostCommand.Create(), new TryCommand().Command, SuggestCommand.Create(), UsageCommand.Create()];

    /// <summary>Runs a command; the first SIGINT, SIGTERM or SIGHUP cancels it.</summary>
    /// <param name="run">Does what the command is for, and returns the exit code.</param>
    /// <returns>The exit code.</returns>
    public static int Run(Func<CancellationToken, int> run)
    {
        using SignalQueue signals = new();
        try
        {
            return run(signals.Stopping);
        }
        catch (OperationCanceledException) when (signals.Stopping.IsCancellationRequested)
        {
            Messages.Error("stopped by a signal before the end.");
            return ExitCode.Failed;
        }
    }
}
