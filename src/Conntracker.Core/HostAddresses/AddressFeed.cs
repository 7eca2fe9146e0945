using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Reads the host's own addresses, the present ones and those that are added later. The direction of a flow depends on them. Created and used
/// on the capture's thread, which is in the network namespace.
/// </summary>
internal sealed class AddressFeed : IFeedSource
{
    // A flood of addresses must not keep the thread from connection tracking's events. What is left wakes the thread again.
    private const int BatchesInTurn = 16;

    private readonly MessageSink _sink;
    private readonly CaptureClock _clock;
    private readonly AddressSource _source;
    private readonly DatagramBatch _batch = NetlinkDump.NewBatch();

    /// <summary>Opens the source and reads all present addresses, so that they are known before the first flow.</summary>
    /// <param name="sink">Receives the messages.</param>
    /// <param name="clock">The capture's time.</param>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public AddressFeed(MessageSink sink, CaptureClock clock)
    {
        _sink = sink;
        _clock = clock;
        _source = AddressSource.Open();
        try
        {
            // The kernel answers within the request itself: while the dump is incomplete, a datagram is always ready.
            while (_source.IsReading && ReceiveBatch())
            {
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public int Number => _source.Number;

    /// <inheritdoc/>
    public long Due => long.MaxValue;

    /// <inheritdoc/>
    public void Receive()
    {
        for (int turn = 0; turn < BatchesInTurn && ReceiveBatch(); turn++)
        {
        }
    }

    /// <inheritdoc/>
    public void Finish() => Receive();

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _batch.Dispose();
    }

    // False if nothing was queued.
    private bool ReceiveBatch()
    {
        int received = _source.Receive(_batch);
        if (received == 0)
        {
            return false;
        }

        _sink.Put(MessageKind.Addresses, _clock.Now, _batch, received);
        return true;
    }
}
