namespace Conntracker.Core.Rulesets;

/// <summary>
/// Reads something repeatedly on a thread of its own. The thread is in the network namespace of the thread that created the reader, because a new
/// thread inherits it. Of the requests that come during a read, one is kept.
/// </summary>
/// <typeparam name="T">The result of a read.</typeparam>
internal sealed class BackgroundReader<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly object _lock = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Func<CancellationToken, T> _read;
    private readonly Action _done;
    private readonly Thread _thread;
    private bool _isRequested;
    private bool _isEnding;
    private T? _result;
    private string? _error;

    /// <summary>Starts the thread; it reads nothing before the first request.</summary>
    /// <param name="name">The thread's name.</param>
    /// <param name="read">Reads, until it is done or cancelled; its exception becomes <see cref="Error"/>.</param>
    /// <param name="done">Called on the reader's thread after each read, whether or not it succeeded.</param>
    public BackgroundReader(string name, Func<CancellationToken, T> read, Action done)
    {
        _read = read;
        _done = done;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Why the last read failed; null when it succeeded or is still running, or there was none.</summary>
    public string? Error
    {
        get
        {
            lock (_lock)
            {
                return _error;
            }
        }
    }

    /// <summary>Requests a read and returns at once. The read sees every change that was made before this call.</summary>
    public void Request()
    {
        lock (_lock)
        {
            _isRequested = true;
            _error = null;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Takes the newest result, once.</summary>
    /// <returns>False when there is none since the last call.</returns>
    public bool TryTake(out T result)
    {
        lock (_lock)
        {
            result = _result!;
            _result = null;
            return result is not null;
        }
    }

    /// <summary>
    /// Ends the thread. A running read is cancelled; if it ignores that, it is given a few seconds, then left to end by itself.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.Pulse(_lock);
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
#pragma warning disable CA1031 // The rules' text is optional: whatever fails, the capture continues and reports it.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                error = failure.Message;
            }

            lock (_lock)
            {
                _result = result ?? _result;
                _error = error;
            }

            _done();
        }
    }

    private bool WaitForRequest()
    {
        lock (_lock)
        {
            while (!_isRequested && !_isEnding)
            {
                Monitor.Wait(_lock);
            }

            _isRequested = false;
            return !_isEnding;
        }
    }
}
