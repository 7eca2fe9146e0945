using System.Buffers.Binary;
using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Packets;

/// <summary>
/// The packets of an interface, put into a capture's sink as they come. An interface that goes away is opened again when it is back.
/// </summary>
internal sealed class PacketFeed : IFeedSource
{
    private const int BatchesInTurn = 64;

    // How often drops are counted, and a missing interface is tried again.
    private static readonly long s_lookEvery = TimeSpan.FromSeconds(1).Ticks;

    // How often idle flows are closed.
    private static readonly long s_expireEvery = TimeSpan.FromSeconds(10).Ticks;

    private readonly CaptureOptions _options;
    private readonly string _interface;
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly PacketClock _packetClock = new();
    private PacketSource? _source;
    private long _due;
    private long _expireDue;

    /// <summary>Opens the interface; its packets are queued from here on.</summary>
    /// <param name="options">The capture's options.</param>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <exception cref="ConntrackException">It cannot be opened.</exception>
    public PacketFeed(CaptureOptions options, MessageSink sink, CaptureNotices notices, CaptureClock clock)
    {
        _options = options;
        _interface = options.Interface ?? PacketSource.AnyInterface;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _source = Open();
        _due = clock.Now + s_lookEvery;
        _expireDue = clock.Now + s_expireEvery;
    }

    /// <inheritdoc/>
    public int Number => _source?.Number ?? -1;

    /// <inheritdoc/>
    public long Due => _due;

    /// <summary>Announces the link type of a source's frames to the sink.</summary>
    /// <exception cref="ConntrackException">Frames of this link type cannot be read.</exception>
    public static void PutLinkType(PacketSource source, string where, MessageSink sink, long time)
    {
        if (!LinkDecoder.IsKnown(source.LinkType))
        {
            throw new ConntrackException(
                ConntrackErrorReason.LinkTypeUnknown,
                $"The packets of {where} have the link type {source.LinkTypeName}, which is not supported. " +
                    "Supported are Ethernet (EN10MB), Linux cooked (LINUX_SLL, LINUX_SLL2), raw IP (RAW, IPV4, IPV6) and loopback (NULL, LOOP).");
        }

        Span<byte> data = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(data, source.LinkType);
        sink.Put(MessageKind.PacketLink, time, data);
    }

    /// <inheritdoc/>
    public void Receive()
    {
        if (_source is not null)
        {
            ReceivePackets(_source, BatchesInTurn);
        }

        long now = _clock.Now;
        if (now < _due)
        {
            return;
        }

        _due = now + s_lookEvery;
        if (_source is null)
        {
            Reopen();
        }
        else
        {
            CountDrops(_source);
        }

        if (now >= _expireDue)
        {
            _expireDue = now + s_expireEvery;
            ReportTime();
        }
    }

    /// <inheritdoc/>
    public void Finish()
    {
        if (_source is not null)
        {
            // Packets are delivered in blocks, not one by one.
            Thread.Sleep(PacketSource.BlockTime * 1.5);
            ReceivePackets(_source, int.MaxValue);
        }

        if (_source is not null)
        {
            CountDrops(_source);
        }

        ReportTime();
    }

    /// <inheritdoc/>
    public void Dispose() => _source?.Dispose();

    private PacketSource Open()
    {
        PacketSource source = PacketSource.OpenInterface(_interface, _options.Filter, _options.BufferSize);
        try
        {
            PutLinkType(source, $"the interface '{_interface}'", _sink, _clock.Now);
        }
        catch
        {
            source.Dispose();
            throw;
        }

        return source;
    }

    private void Reopen()
    {
        try
        {
            _source = Open();
        }
        catch (ConntrackException)
        {
            // Still missing: the notice has said why.
        }
    }

    private void ReceivePackets(PacketSource source, int batches)
    {
        // Packets carry the host's time.
        long end = _clock.HostTime;
        int read;
        do
        {
            read = source.Read();
            if (source.Batch.Count > 0)
            {
                _sink.Put(source.Batch);
                _packetClock.Note(source.Batch.TimeOf(source.Batch.Count - 1), _clock.Now);
            }
        }
        while (read > 0 && --batches > 0 && source.Batch.TimeOf(read - 1) <= end);

        if (read < 0)
        {
            _notices.Add("interface",
                $"Capturing on the interface '{_interface}' stopped: {source.Error}. It is opened again as soon as possible. Packets until then are not seen.");
            CountDrops(source);
            source.Dispose();
            _source = null;
            _due = _clock.Now + s_lookEvery;
        }
    }

    // Without packets no flow can be idle.
    private void ReportTime()
    {
        if (_packetClock.IsKnown)
        {
            _sink.PutAsIs(MessageKind.PacketTime, _packetClock.At(_clock.Now));
        }
    }

    private void CountDrops(PacketSource source)
    {
        if (source.TakeDrops() is > 0 and long drops)
        {
            _sink.PutNumber(MessageKind.PacketsLost, _clock.Now, drops);
            _notices.Add("packets", "The kernel dropped packets because they arrived faster than they could be read. Flows may be missing. " +
                "Use a filter (-Filter, --filter) or a larger buffer (-BufferSize, --buffer-size).");
        }
    }
}
