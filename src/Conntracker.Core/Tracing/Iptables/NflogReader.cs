using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>The thread that reads NFLOG group 0 of one network namespace and hands every datagram to all taps.</summary>
internal sealed class NflogReader : IDisposable
{
    // A bound, so that a tap is not kept waiting for the end of a flood.
    private const int BatchesInTurn = 16;

    private readonly NflogSource _source;
    private readonly NflogSequence _sequence = new();
    private readonly Wakeup _stop = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly List<NflogSubscriber> _taps = [];
    private Exception? _error;

    /// <summary>Opens the group in the calling thread's network namespace, which the new thread shares, and starts to read.</summary>
    /// <exception cref="ConntrackException">The group cannot be taken.</exception>
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

    /// <summary>False when something has ended the thread.</summary>
    public bool IsReading
    {
        get
        {
            lock (_gate)
            {
                return _error is null;
            }
        }
    }

    /// <summary>Adds a tap: it gets what is read from now on.</summary>
    public void Add(NflogSubscriber tap)
    {
        lock (_gate)
        {
            _taps.Add(tap);
            if (_error is not null)
            {
                tap.Fail(_error);
            }
        }
    }

    /// <summary>Removes a tap; when this returns, nothing is put into it any more.</summary>
    /// <returns>True when it was the last one.</returns>
    public bool Remove(NflogSubscriber tap)
    {
        lock (_gate)
        {
            _taps.Remove(tap);
            return _taps.Count == 0;
        }
    }

    /// <summary>Ends the thread and gives the group back.</summary>
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
#pragma warning disable CA1031 // Whatever it is, those who wait for lines must learn of it; an exception here would end the process.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _source.Dispose();
            lock (_gate)
            {
                _error = error;
                _taps.ForEach(tap => tap.Fail(error));
            }
        }
    }

    // False when it is time to end.
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
        lock (_gate)
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
        lock (_gate)
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
