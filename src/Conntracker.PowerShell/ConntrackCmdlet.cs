using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>The base of every cmdlet of the module: Ctrl+C as a token, and errors with a stable id.</summary>
public abstract class ConntrackCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Cancelled when the user stops the pipeline.</summary>
    protected CancellationToken StopToken => _stopping.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stopping.Cancel();

    /// <summary>Frees what the cmdlet holds.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stopping.Dispose();
        }
    }

    /// <summary>Ends the cmdlet with an error of the catalog.</summary>
    /// <param name="error">The error.</param>
    /// <param name="target">The object that it concerns.</param>
    protected void ThrowTerminating(Exception error, object? target) => ThrowTerminatingError(ErrorCatalog.Record(error, target));

    /// <summary>
    /// Runs work that may take long on another thread, with a progress bar if it does. Ctrl+C cancels it.
    /// </summary>
    /// <param name="activity">The activity, for the progress bar.</param>
    /// <param name="status">Returns the progress so far; null to show the elapsed time.</param>
    /// <param name="work">The work.</param>
    protected T RunWithProgress<T>(string activity, Func<string>? status, Func<CancellationToken, T> work)
    {
        TimeSpan quiet = TimeSpan.FromMilliseconds(500);
        long started = Environment.TickCount64;
        Task<T> task = Task.Run(() => work(StopToken), CancellationToken.None);
        ProgressRecord progress = new(activityId: 0, activity, " ");
        bool isShown = false;
        while (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(quiet))
        {
            progress.StatusDescription = status?.Invoke() ?? $"{(Environment.TickCount64 - started) / 1000} s";
            WriteProgress(progress);
            isShown = true;
        }

        if (isShown)
        {
            progress.RecordType = ProgressRecordType.Completed;
            WriteProgress(progress);
        }

        try
        {
            return task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }
}
