using Conntracker.Core.Feeds;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Compares the legacy rules on a thread of its own, for lines that wait for it. The thread is in the network namespace of the thread that created
/// the comparer, because a new thread inherits it.
/// </summary>
internal sealed class IptablesComparer : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly object _lock = new();
    private readonly IptablesComparison _comparison;
    private readonly CaptureClock _clock;
    private readonly Action _done;
    private readonly Queue<IptablesCheck> _checks = [];
    private readonly Thread _thread;
    private long _wanted = -1;
    private long _compared = -1;
    private bool _isUrgent;
    private bool _isEnding;

    /// <summary>Starts the thread; it compares nothing before the first request.</summary>
    /// <param name="comparison">The comparison. Only the comparer's thread uses it from now on.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="done">Called on the comparer's thread after each comparison.</param>
    public IptablesComparer(IptablesComparison comparison, CaptureClock clock, Action done)
    {
        _comparison = comparison;
        _clock = clock;
        _done = done;
        _thread = new Thread(Run) { IsBackground = true, Name = "conntracker-ipt-compare" };
        _thread.Start();
    }

    /// <summary>Requests a comparison and returns at once. The comparison begins after this call.</summary>
    /// <param name="mark">Lines before it have arrived, and wait.</param>
    /// <param name="isUrgent">Whether to compare at once: the capture is about to end.</param>
    public void Request(long mark, bool isUrgent)
    {
        lock (_lock)
        {
            // A thread that already waits for the next comparison will see the newest mark then.
            if ((mark > _wanted && _wanted <= _compared) || (isUrgent && !_isUrgent))
            {
                Monitor.Pulse(_lock);
            }

            _wanted = Math.Max(_wanted, mark);
            _isUrgent |= isUrgent;
        }
    }

    /// <summary>Takes the oldest comparison that was not taken yet.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTake(out IptablesCheck check)
    {
        lock (_lock)
        {
            return _checks.TryDequeue(out check);
        }
    }

    /// <summary>Ends the thread; waits a few seconds for a running comparison.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.Pulse(_lock);
        }

        _thread.Join(s_patience);
    }

    private void Run()
    {
        while (WaitUntilDue(out long mark, out bool isUrgent))
        {
            IptablesCheck? check;
            try
            {
                check = _comparison.Compare(mark, isUrgent);
            }
#pragma warning disable CA1031 // Whatever fails, lines must not wait without limit: they are shown with the known rules.
            catch (Exception error)
#pragma warning restore CA1031
            {
                check = new IptablesCheck(0, mark, HasChanged4: false, HasChanged6: false, error.Message);
            }

            if (check is not null)
            {
                lock (_lock)
                {
                    _compared = mark;
                    _checks.Enqueue(check.Value);
                }

                _done();
            }
        }
    }

    // False when the thread is to end.
    private bool WaitUntilDue(out long mark, out bool isUrgent)
    {
        lock (_lock)
        {
            while (!_isEnding && Pause() is not 0 and int pause)
            {
                Monitor.Wait(_lock, pause);
            }

            (mark, isUrgent) = (_wanted, _isUrgent);
            return !_isEnding;
        }
    }

    // In milliseconds; never 0 while nothing is requested.
    private int Pause()
    {
        long wait = _comparison.Due - _clock.Now;
        return _wanted <= _compared ? Timeout.Infinite
            : _isUrgent || wait <= 0 ? 0
            : (int)Math.Min(int.MaxValue, (wait / TimeSpan.TicksPerMillisecond) + 1);
    }
}
