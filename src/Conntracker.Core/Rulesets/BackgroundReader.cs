namespace Conntracker.Core.Rulesets;

/// <summary>
/// Reads something again and again on a thread of its own. The thread is in the network namespace of the thread that made the reader,
/// for a new thread inherits it. Of requests that come while it reads, one is kept.
/// </summary>
/// <typeparam name="T">What is read.</typeparam>
internal sealed class BackgroundReader<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Func<CancellationToken, T> _read;
    private readonly Action _done;
    private readonly Thread _thread;
    private bool _isRequested;
    private bool _isEnding;
    private T? _result;
    private string? _error;

    /// <summary>Makes a reader; it reads nothing before it is asked to.</summary>
    /// <param name="name">The thread's name.</param>
    /// <param name="read">Reads, until it is done or cancelled; what it throws becomes <see cref="Error"/>.</param>
    /// <param name="done">Called on the reader's thread after each reading, however it went.</param>
    public BackgroundReader(string name, Func<CancellationToken, T> read, Action done)
    {
        _read = read;
        _done = done;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Why the last reading failed; null when it went well, goes on, or there was none.</summary>
    public string? Error
    {
        get
        {
            lock (_gate)
            {
                return _error;
            }
        }
    }

    /// <summary>Asks for a reading and returns at once. Whatever has happened before this call, the reading sees.</summary>
    public void Request()
    {
        lock (_gate)
        {
            _isRequested = true;
            _error = null;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Takes the newest result, once.</summary>
    /// <returns>False when none has come since the last time.</returns>
    public bool TryTake(out T result)
    {
        lock (_gate)
        {
            result = _result!;
            _result = null;
            return result is not null;
        }
    }

    /// <summary>
    /// Ends the thread. A reading that goes on is cancelled; one that does not heed that is waited for a few seconds, then left to end by
    /// itself.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.Pulse(_gate);
        }

        _ending.Cancel();
        if (_thread.Join(s_patience))
        {
            _ending.Dispose();
        }
    }

    private void Run()
    {
        while (WaitForRequest())
        {
            T? result = null;
            string? error = null;
            try
            {
                result = _read(_ending.Token);
            }
#pragma warning disable CA1031 // The rules' text is a help: whatever goes wrong with it, the capture goes on and says so.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                error = failure.Message;
            }

            lock (_gate)
            {
                _result = result ?? _result;
                _error = error;
            }

            _done();
        }
    }

    private bool WaitForRequest()
    {
        lock (_gate)
        {
            while (!_isRequested && !_isEnding)
            {
                Monitor.Wait(_gate);
            }

            _isRequested = false;
            return !_isEnding;
        }
    }
}
