using Conntracker.Core.Native;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// The addresses of the host's interfaces, as frames: those that there are, and those that come. They decide over the direction of
/// flows. Made and used on the capture's thread, which is in the network namespace.
/// </summary>
internal sealed class AddressFeed : IFeedSource
{
    private readonly FrameSink _sink;
    private readonly CaptureClock _clock;
    private readonly NetlinkDump _addresses;
    private readonly DatagramBatch _batch = NetlinkDump.NewBatch();

    /// <summary>Opens the source and takes every address that there is, so that they are known before the first flow.</summary>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="clock">The capture's time.</param>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public AddressFeed(FrameSink sink, CaptureClock clock)
    {
        _sink = sink;
        _clock = clock;
        _addresses = NetlinkDump.OpenAddresses();
        try
        {
            _addresses.RequestAddresses();
            Take();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public int Number => _addresses.Number;

    /// <inheritdoc/>
    public long Due => long.MaxValue;

    /// <inheritdoc/>
    public void Take()
    {
        int received;
        while ((received = _addresses.Receive(_batch)) > 0 || received == -ErrnoConstants.ENOBUFS)
        {
            if (received < 0)
            {
                _addresses.RequestAddresses();
                continue;
            }

            _sink.Put(FrameKind.Addresses, _clock.Now, _batch, received);
        }
    }

    /// <inheritdoc/>
    public void Finish() => Take();

    /// <inheritdoc/>
    public void Dispose()
    {
        _addresses.Dispose();
        _batch.Dispose();
    }
}
