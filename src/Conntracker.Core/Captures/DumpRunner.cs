using Conntracker.Core.Conntrack;
using Conntracker.Core.Feeds;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Reads the kernel's table once and ends. Creates no nftables table, joins no group, changes no setting.</summary>
internal sealed class DumpRunner : ICaptureRunner
{
    private readonly string? _networkNamespace;
    private readonly FlowCollector _collector;
    private readonly CaptureClock _clock = new();
    private volatile bool _stop;

    /// <summary>Reads a network namespace's table.</summary>
    /// <param name="networkNamespace">The network namespace; null for the one that the process is in.</param>
    /// <param name="collector">Receives the flows.</param>
    public DumpRunner(string? networkNamespace, FlowCollector collector)
    {
        _networkNamespace = networkNamespace;
        _collector = collector;
    }

    /// <inheritdoc/>
    public TraceControl? Tracing => null;

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        if (_networkNamespace is string name)
        {
            NetworkNamespace.Enter(name);
        }

        MessageSink sink = new(_collector, recording: null, _clock);
        using AddressFeed addresses = new(sink, _clock);
        using NetlinkDump connections = NetlinkDump.OpenConntrack();
        using DatagramBatch batch = NetlinkDump.NewBatch();
        connections.RequestConntrack();
        sink.Put(MessageKind.DumpRequested, _clock.Now, [(byte)DumpReason.Start]);
        bool isLast = false;
        while (!_stop && !isLast)
        {
            int received = connections.WaitAndReceive(batch, CancellationToken.None);
            DumpPart part = received < 0 ? DumpPart.Failed(-received) : DumpPart.Of(batch, received);
            if (part.Error != 0)
            {
                throw ConntrackDumpError.Of(part.Error);
            }

            sink.Put(MessageKind.ConntrackDump, _clock.Now, batch, received);
            isLast = part.IsLast;
        }

        ready();
    }

    /// <inheritdoc/>
    public void RequestStop() => _stop = true;

    /// <inheritdoc/>
    public bool RequestRefresh() => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        // Run closes everything that it opens.
    }
}
