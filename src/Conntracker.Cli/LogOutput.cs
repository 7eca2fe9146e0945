using Conntracker.Core.Capture;
using Conntracker.Core.Export;
using Conntracker.Core.Views;

namespace Conntracker.Cli;

/// <summary>Writes the log of a capture as it stands.</summary>
internal static class LogOutput
{
    private const string StandardOutput = "-";

    /// <summary>Writes the log to a file, which takes its place when it is complete, or to standard output; nothing when no log is wanted.</summary>
    /// <exception cref="LogFileException">The file cannot be written.</exception>
    /// <exception cref="IOException">Standard output cannot be written to.</exception>
    public static void Write(CaptureSession session, RunOptions options)
    {
        if (options.Output is null)
        {
            return;
        }

        using FlowSnapshot snapshot = session.Snapshot();
        if (options.Output == StandardOutput)
        {
            using Stream stream = Console.OpenStandardOutput();
            SnapshotLog.Write(snapshot, stream, options.Format, options.Style);
            stream.Flush();
            return;
        }

        using LogFile file = LogFile.Create(options.Output);
        SnapshotLog.Write(snapshot, file.Stream, options.Format, options.Style);
        file.Commit();
    }
}
