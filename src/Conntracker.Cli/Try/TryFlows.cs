namespace Conntracker.Cli;

/// <summary>The flows that a ruleset is tested with.</summary>
internal static class TryFlows
{
    private const string StandardInput = "-";

    /// <summary>Reads the flows; those of a file as the caller enumerates them.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ConntrackException">Flows cannot be captured, or a recording cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IEnumerable<Flow> Read(TryOptions options, CancellationToken cancellation)
    {
        if (options.FlowsPath is string path)
        {
            return ReadLog(path);
        }

        using CaptureSession session = options.ReplayPath is null && options.Duration is null
            ? CaptureSession.ReadOnce(options.Test.NetworkNamespace, cancellation)
            : Capture(options, cancellation);
        return [.. session.GetFlows(FlowQuery.All, cancellation)];
    }

    private static CaptureSession Capture(TryOptions options, CancellationToken cancellation)
    {
        CaptureSession session = CaptureSession.Start(
            options.ReplayPath is null
                ? new CaptureOptions { NetworkNamespace = options.Test.NetworkNamespace, Duration = options.Duration }
                : new CaptureOptions { ReplayPath = options.ReplayPath },
            cancellation);
        try
        {
            session.Notices.Listen(Messages.Notice);
            session.Wait(Timeout.InfiniteTimeSpan, cancellation);
            return session.Error is null ? session : throw session.Error;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static IEnumerable<Flow> ReadLog(string path)
    {
        if (Directory.Exists(path))
        {
            return FlowReader.IsTree(path)
                ? FlowReader.ReadTree(path, error => Messages.Error($"{path}: {ErrorText.Of(error)}"))
                : throw new IOException($"'{path}' is a directory, but not a tree that --tree made. Specify a file.");
        }

        // Opened here, and not when the first flow is requested: the trial need not start for a file that is missing.
        Stream stream = path == StandardInput
            ? Console.OpenStandardInput()
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return ReadLog(path, stream);
    }

    private static IEnumerable<Flow> ReadLog(string path, Stream stream)
    {
        using (stream)
        {
            foreach (Flow flow in FlowReader.Read(stream, format: null, error => Messages.Error($"{path}: {ErrorText.Of(error)}")))
            {
                yield return flow;
            }
        }
    }
}
