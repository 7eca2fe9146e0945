using Conntracker.Core.Capture;
using Conntracker.Core.Export;

namespace Conntracker.Cli;

/// <summary>A run of the program: capture until something ends it, then write the log.</summary>
internal static class Run
{
    /// <summary>Runs.</summary>
    /// <returns>The exit code.</returns>
    public static int Execute(RunOptions options)
    {
        try
        {
            using SignalQueue signals = new();
            using TreeKeeper? tree = options.TreePath is null ? null : new TreeKeeper(options.TreePath, options.Tree);
            using CaptureSession session = Start(options.Capture, signals);
            tree?.Start(session);
            while (signals.Take() == RunRequest.WriteLog)
            {
                WriteLogSoFar(session, options);
            }

            session.Stop();
            bool isTreeComplete = tree?.Finish(session) ?? true;
            LogOutput.Write(session, options);
            if (options.Stats)
            {
                Console.Error.Write(ReceiptText.Of(session));
            }

            if (session.Error is Exception error)
            {
                Messages.Error($"the capture ended early: {error.Message}");
                return ExitCode.Failed;
            }

            return isTreeComplete ? ExitCode.Success : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            Messages.Error($"stopped before {options.Capture.ReplayPath ?? options.Capture.PcapPath ?? "the kernel's table"} was read; there is no log.");
            return ExitCode.Failed;
        }
        catch (Exception error) when (error is ConntrackException or LogFileException or IOException or ArgumentException)
        {
            Messages.Error(error.Message);
            return ExitCode.Failed;
        }
    }

    private static CaptureSession Start(CaptureOptions options, SignalQueue signals)
    {
        CaptureSession session = CaptureSession.Start(options, signals.Stopping);
        session.Notices.Added += Messages.Notice;
        foreach (string notice in session.Notices.All())
        {
            Messages.Notice(notice);
        }

        new Thread(() =>
        {
            session.Wait(Timeout.InfiniteTimeSpan);
            signals.Put(RunRequest.End);
        })
        { IsBackground = true, Name = "end of capture" }.Start();
        return session;
    }

    // A log that cannot be written now is no reason to lose the capture.
    private static void WriteLogSoFar(CaptureSession session, RunOptions options)
    {
        try
        {
            LogOutput.Write(session, options);
        }
        catch (Exception error) when (error is LogFileException or IOException)
        {
            Messages.Error(error.Message);
        }
    }
}
