using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>The thread that reads NFLOG group 0 of one network namespace and passes every datagram to all subscribers.</summary>
internal sealed class NflogReader : IDisposable
{
    // A limit, so that a subscriber need not wait for the end of a flood.
    private const int BatchesInTurn = 16;

    private readonly NflogSource _source;
    private readonly NflogSequence _sequence = new();
    private readonly Wakeup _stop = new();
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly List<NflogSubscriber> _taps = [];
    private Exception? _error;

    /// <summary>Opens the group in the calling thread's network namespace, which the new thread inherits, and starts to read.</summary>
    /// <exception cref="ConntrackException">The group is not available.</exception>
    public NflogReader()
    {
        try
        {
            _source = new NflogSource();
        }
        catch
        {
            _stop.Dispose();
            throw;
        }

        _thread = new Thread(Run) { IsBackground = true, Name = "conntracker nflog" };
        _thread.Start();
    }

    /// <summary>False when an error has ended the thread.</summary>
    public bool IsReading
    {
        get
        {
            lock (_lock)
            {
                return _error is null;
            }
        }
    }

    /// <summary>Adds a subscriber: it gets all datagrams read from now on.</summary>
    public void Add(NflogSubscriber tap)
    {
        lock (_lock)
        {
            _taps.Add(tap);
            if (_error is not null)
            {
                tap.Fail(_error);
            }
        }
    }

    /// <summary>Removes a subscriber; it gets nothing after this returns.</summary>
    /// <returns>True when it was the last one.</returns>
    public bool Remove(NflogSubscriber tap)
    {
        lock (_lock)
        {
            _taps.Remove(tap);
            return _taps.Count == 0;
        }
    }

    /// <summary>Ends the thread and releases the group.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _source.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        try
        {
            while (Wait())
            {
                Read();
            }
        }
#pragma warning disable CA1031 // Whatever fails, subscribers that wait for lines must learn of it; an exception here would end the process.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _source.Dispose();
            lock (_lock)
            {
                _error = error;
                _taps.ForEach(tap => tap.Fail(error));
            }
        }
    }

    // False when the thread is to end.
    private bool Wait()
    {
        Span<pollfd> polled = [Poll.ForReading(_stop.Number), Poll.ForReading(_source.Number)];
        while (Poll.Wait(polled, -1) == 0)
        {
            // Interrupted.
        }

        return polled[0].revents == 0;
    }

    private void Read()
    {
        for (int turn = 0; turn < BatchesInTurn; turn++)
        {
            int received = _source.Receive();
            if (received > 0)
            {
                Share(received);
            }
            else if (received == -ENOBUFS)
            {
                ShareLoss(_sequence.Overrun(_source.TakeDrops()));
            }
            else if (received == -EAGAIN || received == -EINTR)
            {
                return;
            }
            else
            {
                throw Failed(-received);
            }
        }
    }

    private void Share(int received)
    {
        lock (_lock)
        {
            for (int i = 0; i < received; i++)
            {
                ReadOnlySpan<byte> datagram = _source.Batch[i];
                long lost = _sequence.Take(datagram, out int lines);
                foreach (NflogSubscriber tap in _taps)
                {
                    tap.CountLost(lost);
                    tap.Put(datagram, lines);
                }
            }

            _taps.ForEach(static tap => tap.Wake());
        }
    }

    private void ShareLoss(long lost)
    {
        lock (_lock)
        {
            _taps.ForEach(tap =>
            {
                tap.CountLost(lost);
                tap.Wake();
            });
        }
    }

    private static ConntrackException Failed(int errno) => new(
        ConntrackErrorReason.KernelRefused, $"NFLOG group 0 can no longer be read: {Errno.Describe(errno)}. The trace of iptables-legacy ends.");
}
