using Conntracker.Core.Feeds;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Packets;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Captures the packets of an interface: enters the network namespace with the capture's own thread, and feeds the collector until the end.</summary>
internal sealed class PacketRunner : ICaptureRunner
{
    private readonly CaptureOptions _options;
    private readonly FlowCollector _collector;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock = new();
    private readonly Wakeup _wakeup = new();
    private readonly CaptureRecording _recording;
    private readonly MessageSink _sink;
    private readonly List<IFeedSource> _sources = [];
    private volatile bool _stop;

    /// <summary>Creates the recording's file.</summary>
    /// <exception cref="ConntrackException">The recording's file cannot be created.</exception>
    public PacketRunner(CaptureOptions options, FlowCollector collector, CaptureNotices notices)
    {
        _options = options;
        _collector = collector;
        _notices = notices;
        _recording = new CaptureRecording(options.RecordPath, notices, _clock.TimeOfDay);
        _sink = new MessageSink(collector, _recording.Writer, _clock);
    }

    /// <inheritdoc/>
    public TraceControl? Tracing => null;

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        if (_options.NetworkNamespace is string name)
        {
            NetworkNamespace.Enter(name);
        }

        // Addresses first: the direction of the first packet depends on them.
        _sources.Add(new AddressFeed(_sink, _clock));
        _sources.Add(new PacketFeed(_options, _sink, _notices, _clock));
        if (_options.ResolveProcess)
        {
            ProcessFeed processes = new(NamespaceCookie(), _sink, _notices, _clock, _wakeup);
            _sources.Add(processes);
            _collector.Processes.UseLookup(processes.Lookup, forEveryFlow: !processes.HasPrograms);
        }

        _recording.Begin();
        ready();
        long end = _clock.After(_options.Duration);
        while (!_stop && _clock.Now < end)
        {
            _ = FeedPoll.Wait(_wakeup, first: -1, _sources, end, _clock.Now);
            foreach (IFeedSource source in _sources)
            {
                source.Receive();
            }

            _recording.Report();
        }

        foreach (IFeedSource source in _sources)
        {
            source.Finish();
        }

        _recording.End(_clock.TimeOfDay);
    }

    /// <inheritdoc/>
    public void RequestStop()
    {
        _stop = true;
        _wakeup.Set();
    }

    /// <inheritdoc/>
    public bool RequestRefresh() => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IFeedSource source in _sources)
        {
            source.Dispose();
        }

        _wakeup.Dispose();
        _recording.Dispose();
    }

    private static ulong NamespaceCookie()
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_ROUTE, "The network namespace");
        return socket.NamespaceCookie();
    }
}
