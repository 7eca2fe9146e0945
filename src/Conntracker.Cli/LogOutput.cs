namespace Conntracker.Cli;

/// <summary>
/// The output of a run's log. Errors that can be detected early are thrown when it is opened, before the capture starts: the file that takes the
/// log's path at the end is created at the start.
/// </summary>
internal sealed class LogOutput : IDisposable
{
    /// <summary>The path that means standard output.</summary>
    public const string StandardOutput = "-";

    private readonly RunOptions _options;
    private readonly LogFile? _file;

    /// <summary>Opens the output.</summary>
    /// <exception cref="LogFileException">The file cannot be written.</exception>
    public LogOutput(RunOptions options)
    {
        _options = options;
        _file = options.Output is null or StandardOutput ? null : LogFile.Create(options.Output);
    }

    /// <summary>
    /// Writes the log at the end of the capture; does nothing when no log is wanted. A log that cannot be written to its path is not discarded: it is
    /// kept beside that path, or in the directory for temporary files when nothing can be written there.
    /// </summary>
    /// <exception cref="LogFileException">The log is not at its path. The error says where it is.</exception>
    /// <exception cref="IOException">Standard output cannot be written to.</exception>
    public void Write(CaptureSession session)
    {
        if (_file is null)
        {
            WriteToStandardOutput(session);
        }
        else
        {
            WriteOrRescue(session, _file);
        }
    }

    /// <summary>Writes the log so far, and keeps the output open for the one at the end.</summary>
    /// <exception cref="LogFileException">The file cannot be written, or has been kept under another name.</exception>
    /// <exception cref="IOException">Standard output cannot be written to.</exception>
    public void WriteSoFar(CaptureSession session)
    {
        if (_file is null)
        {
            WriteToStandardOutput(session);
        }
        else
        {
            using LogFile file = LogFile.Create(_file.Path);
            Write(session, file);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void WriteToStandardOutput(CaptureSession session)
    {
        if (_options.Output is null)
        {
            return;
        }

        using FlowSnapshot snapshot = session.Snapshot();
        using Stream stream = Console.OpenStandardOutput();
        SnapshotLog.Write(snapshot, stream, _options.Format, _options.Style);
        stream.Flush();
        ReportWritten(snapshot, _options.Output);
    }

    private void WriteOrRescue(CaptureSession session, LogFile file)
    {
        try
        {
            Write(session, file);
        }
        catch (LogFileException refusal) when (refusal.KeptPath is null)
        {
            throw Rescue(session) is string kept ? refusal.KeptAt(kept) : refusal;
        }
    }

    // Returns the path of the log in the directory for temporary files; null when it cannot be written there either.
    private string? Rescue(CaptureSession session)
    {
        try
        {
            using LogFile file = LogFile.CreateTemporary();
            Write(session, file);
            return file.Path;
        }
        catch (LogFileException)
        {
            return null;
        }
    }

    private void Write(CaptureSession session, LogFile file)
    {
        using FlowSnapshot snapshot = session.Snapshot();
        SnapshotLog.Write(snapshot, file.Stream, _options.Format, _options.Style);
        file.Commit();
        ReportWritten(snapshot, file.Path);
    }

    private void ReportWritten(FlowSnapshot snapshot, string output)
    {
        if (!_options.Quiet)
        {
            Messages.Progress(ProgressText.Written(snapshot.Count, output));
        }
    }
}
