using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Conntracker.Cli;

/// <summary>What a signal requests.</summary>
internal enum RunRequest
{
    /// <summary>End the capture, write the log and exit.</summary>
    End,

    /// <summary>Write the log so far and continue.</summary>
    WriteLog,
}

/// <summary>
/// Queues signals: SIGINT, SIGTERM and SIGHUP (the terminal has closed) end the run, SIGUSR1 writes the log so far. The second signal that ends the
/// run is left to the system, which ends the program at once.
/// </summary>
internal sealed class SignalQueue : IDisposable
{
    // .NET has no name for it, but accepts the raw number. It is 10 on every Linux architecture that .NET supports.
    private const PosixSignal SigUsr1 = (PosixSignal)10;

    private readonly BlockingCollection<RunRequest> _requests = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;
    private bool _isEnding;

    /// <summary>Registers the handlers of the signals.</summary>
    public SignalQueue() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, End),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, End),
        PosixSignalRegistration.Create(SigUsr1, context =>
        {
            context.Cancel = true;
            Put(RunRequest.WriteLog);
        }),
    ];

    /// <summary>Cancelled by the first signal that ends the run, so that it also interrupts a slow start.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Waits for the next request.</summary>
    public RunRequest Take() => _requests.Take();

    /// <summary>Adds a request.</summary>
    public void Put(RunRequest request) => _requests.Add(request);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        // The queue is not disposed: a thread that waits for the capture's end may still add a request.
        _stopping.Dispose();
    }

    private void End(PosixSignalContext context)
    {
        context.Cancel = !_isEnding;
        if (!_isEnding)
        {
            _isEnding = true;
            _stopping.Cancel();
            Put(RunRequest.End);
        }
    }
}
