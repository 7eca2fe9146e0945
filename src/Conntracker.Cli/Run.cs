namespace Conntracker.Cli;

/// <summary>A run of the program: captures until something ends the run, then writes the log.</summary>
internal static class Run
{
    // The wait for a standard error that stalls; the remaining output would wait for it as well.
    private static readonly TimeSpan s_noticePatience = TimeSpan.FromSeconds(5);

    /// <summary>Runs the capture.</summary>
    /// <returns>The exit code.</returns>
    public static int Execute(RunOptions options)
    {
        try
        {
            using SignalQueue signals = new();
            using LogOutput output = new(options);
            using TreeKeeper? tree = options.TreePath is null ? null : new TreeKeeper(options.TreePath, options.Tree);
            using CaptureSession session = Start(options.Capture, signals);
            using IDisposable? following = tree?.Start(session, isLive: options.Capture is { ReplayPath: null, PcapPath: null });

            // A replay has been read completely by now, and nothing need end it.
            if (!options.Quiet && options.Capture.ReplayPath is null)
            {
                Messages.Progress(ProgressText.Begun(options));
            }

            while (signals.Take() == RunRequest.WriteLog)
            {
                // The capture continues even when the log cannot be written now.
                TryWrite(() => output.WriteSoFar(session));
            }

            session.Stop();
            session.Notices.EndListening(s_noticePatience);
            bool isComplete = tree?.Finish(session) ?? true;
            isComplete &= TryWrite(() => output.Write(session));
            if (options.Stats)
            {
                Console.Error.Write(CountersText.Of(session));
            }

            if (session.Error is Exception error)
            {
                Messages.Error($"the capture ended early: {ErrorText.Of(error)}");
                return ExitCode.Failed;
            }

            return isComplete ? ExitCode.Success : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            Messages.Error($"stopped before {options.Capture.ReplayPath ?? "the kernel's table"} was read; no log was written.");
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            Messages.Error(ErrorText.Of(error));
            return ExitCode.Failed;
        }
    }

    private static CaptureSession Start(CaptureOptions options, SignalQueue signals)
    {
        // A capture file may be large: a log of the part read so far is useful at any time.
        CaptureSession session = options.PcapPath is null ? CaptureSession.Start(options, signals.Stopping) : CaptureSession.Begin(options);
        session.Notices.Listen(Messages.Notice);

        new Thread(() =>
        {
            session.Wait(Timeout.InfiniteTimeSpan);
            signals.Put(RunRequest.End);
        })
        { IsBackground = true, Name = "end of capture" }.Start();
        return session;
    }

    private static bool TryWrite(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (IOException error)
        {
            Messages.Error(error.Message);
            return false;
        }
    }
}
