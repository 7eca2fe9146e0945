





using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// The host's own addresses, as frames: those that there are, and those that come. They decide over the direction of flows. Made and
/// used on the capture's thread, which is in the network namespace.
/// </summary>
internal sealed class AddressFeed : IFeedSource
{
    // A bound, so that a flood of addresses leaves connection tracking its turn. What is left wakes the thread again.
    private const int BatchesInTurn = 16;

    private readonly MessageSink _sink;
    private readonly CaptureClock _clock;
    private readonly AddressSource _source;
    private readonly DatagramBatch _batch = NetlinkDump.NewBatch();

    /// <summary>Opens the source and takes every address that there is, so that they are known before the first flow.</summary>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="clock">The capture's time.</param>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public AddressFeed(MessageSink sink, CaptureClock clock)
    {
        _sink = sink;
        _clock = clock;
        _source = AddressSource.Open();
        try
        {
            // The kernel answers while it is asked: as long as there is more, it is there.
            while (_source.IsReading && TakeBatch())
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
    public void Take()
    {
        for (int turn = 0; turn < BatchesInTurn && TakeBatch(); turn++)
        {
        }
    }

    /// <inheritdoc/>
    public void Finish() => Take();

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _batch.Dispose();
    }

    // False when there was nothing.
    private bool TakeBatch()
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
