using System.Buffers.Binary;
using System.Collections.Frozen;
using Conntracker.Core.Feeds;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Netlink;
using Conntracker.Core.Packets;
using Conntracker.Core.Processes;
using Conntracker.Core.Recording;
using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>
/// Turns messages into flows: decodes them, updates the table, counts, and informs subscribers. Live and replayed messages are handled alike. One
/// thread passes messages; any thread may read.
/// </summary>
internal sealed partial class FlowCollector : IMessageConsumer, ITraceJoin, IDisposable
{
    // Held while a batch is handled, and while a reader copies.
    private readonly Lock _lock = new();
    private readonly FlowTable _table;
    private readonly FrozenSet<FlowProtocol>? _protocols;
    private readonly LocalAddressesBuilder _addresses = new();
    private long _events;
    private long _lost;
    private long _overruns;
    private long _malformed;
    private long _processesLost;
    private long _conntrackDrops;
    private long _conntrackEarlyDrops;
    private long _recordingLost;
    private volatile bool _isWithoutEvents;
    private bool _isDisposed;

    /// <summary>Creates the flow table and the joins.</summary>
    /// <param name="maximumFlows">The flow limit.</param>
    /// <param name="protocols">The protocols to keep; empty keeps all.</param>
    /// <param name="localAddresses">Addresses that are the host's own, in addition to those that messages report.</param>
    public FlowCollector(int maximumFlows, IReadOnlyList<FlowProtocol> protocols, IReadOnlyList<AddressRange>? localAddresses = null)
    {
        foreach (AddressRange range in localAddresses ?? [])
        {
            _addresses.AddOwn(range.Block);
        }

        _table = new FlowTable(maximumFlows);
        Processes = new ProcessJoin(_table);
        _protocols = protocols.Count == 0 ? null : protocols.ToFrozenSet();
        _packets = new PacketHandler(_table, Keeps);
        Tracing = new TraceCollector(_table, _protocols)
        {
            Ended = slot =>
            {
                Processes.FlowAppeared(slot, Addresses, isOld: false);
                Publish(slot);
            },
        };
    }

    /// <summary>Joins traces with the flows.</summary>
    public TraceCollector Tracing { get; }

    /// <summary>Joins processes with the flows.</summary>
    public ProcessJoin Processes { get; }

    /// <summary>The host's own addresses that are known so far. An immutable copy.</summary>
    public LocalAddresses Addresses => _addresses.Current;

    /// <summary>The number of flows.</summary>
    public int FlowCount
    {
        get
        {
            lock (_lock)
            {
                return _isDisposed ? 0 : _table.Count;
            }
        }
    }

    /// <summary>Whether the kernel sends no events at all, so that only dumps show flows.</summary>
    public bool IsWithoutEvents
    {
        get => _isWithoutEvents;
        set => _isWithoutEvents = value;
    }

    /// <summary>Whether only dumps show all flows, or those that no event has reported (<see cref="FlowTable.Eventless"/>).</summary>
    public bool NeedsDumps
    {
        get
        {
            lock (_lock)
            {
                return IsWithoutEvents || _table.Eventless > 0;
            }
        }
    }

    /// <summary>The number of dumps that have ended, and whether one is in progress.</summary>
    public (long Ended, bool IsDumping) Dumps
    {
        get
        {
            lock (_lock)
            {
                return (_dumpsEnded, _isDumping);
            }
        }
    }

    /// <summary>The counters so far.</summary>
    public CaptureCounters Counters
    {
        get
        {
            lock (_lock)
            {
                return Count();
            }
        }
    }

    /// <inheritdoc/>
    public void Handle(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            Dispatch(kind, time, data);
        }
    }

    /// <inheritdoc/>
    public void Handle(MessageKind kind, long time, DatagramBatch batch, int count)
    {
        lock (_lock)
        {
            for (int i = 0; i < count; i++)
            {
                MessageKind each = batch.IsTruncated(i) ? MessageKind.Truncated : kind;
                Dispatch(each, time, each == kind ? batch[i] : default);
            }
        }
    }

    /// <inheritdoc/>
    public void Handle(PacketBatch batch)
    {
        lock (_lock)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                Dispatch(MessageKind.Packet, batch.TimeOf(i), batch[i]);
            }
        }
    }

    /// <inheritdoc/>
    public bool IsStale(RulesetKind kind)
    {
        lock (_lock)
        {
            return Tracing.Rules.IsStale(kind);
        }
    }

    /// <summary>The rules and policies as they were read last, for the steps of traces; none before something is traced.</summary>
    public IReadOnlyList<FirewallRule> FirewallRules()
    {
        lock (_lock)
        {
            return Tracing.Rules.ToRules();
        }
    }

    /// <inheritdoc/>
    public void Flush(long now)
    {
        lock (_lock)
        {
            Tracing.Flush(now);
        }
    }

    /// <summary>Copies the flows. The caller disposes the copy.</summary>
    public FlowSnapshot Snapshot()
    {
        lock (_lock)
        {
            return new FlowSnapshot(_table.Copy(), Addresses, Tracing.View, Processes.Processes.Copy());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _table.Dispose();
        }
    }

    private void Dispatch(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        switch (kind)
        {
            case MessageKind.ConntrackEvent:
                HandleEvents(time, data);
                break;
            case MessageKind.ConntrackDump:
                HandleDump(time, data);
                break;
            case MessageKind.Addresses:
                _malformed += _addresses.Handle(data);
                break;
            case MessageKind.DumpRequested:
                _dumpReason = data.Length == 1 ? (DumpReason)data[0] : DumpReason.Start;
                _dumpWasInterrupted = false;
                _isDumping = true;
                Tracing.MayLackFlows = _dumpReason == DumpReason.Start;
                _table.BeginDump(time, showsEventless: _dumpReason != DumpReason.Repair);
                break;
            case MessageKind.Overrun:
                _overruns++;
                break;
            case MessageKind.Lost:
                _lost += ReadNumber(data);
                break;
            case MessageKind.ConntrackDrops when data.Length == 2 * sizeof(long):
                _conntrackDrops += ReadNumber(data[..sizeof(long)]);
                _conntrackEarlyDrops += ReadNumber(data[sizeof(long)..]);
                break;
            case MessageKind.RecordingLost:
                _recordingLost += ReadNumber(data);
                break;
            case MessageKind.Process:
            case MessageKind.SocketOwner:
                HandleProcess(kind, time, data);
                break;
            case MessageKind.SocketOwnersLost:
                _processesLost += ReadNumber(data);
                break;
            case MessageKind.Packet:
            case MessageKind.PacketLink:
            case MessageKind.PacketsLost:
            case MessageKind.PacketTime:
                HandlePacket(kind, time, data);
                break;
            case MessageKind.Truncated:
                _lost++;
                _malformed++;
                break;
            default:
                // A later version may write further kinds. Changes that matter raise the recording's own version.
                Tracing.Take(kind, time, data);
                break;
        }
    }

    private void HandleProcess(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        if (kind == MessageKind.Process && ProcessReport.Decode(data, out ProcessReport report) == DecodeResult.Decoded)
        {
            Processes.Take(in report);
        }
        else if (kind == MessageKind.SocketOwner && SocketOwner.Decode(data, out SocketOwner owner) == DecodeResult.Decoded)
        {
            Processes.Take(in owner, Addresses, time);
        }
        else
        {
            _malformed++;
        }
    }

    private static long ReadNumber(ReadOnlySpan<byte> data) =>
        data.Length == sizeof(long) ? Math.Max(0, BinaryPrimitives.ReadInt64LittleEndian(data)) : 0;

    private bool Keeps(FlowProtocol protocol) => _protocols is null || _protocols.Contains(protocol);

    private CaptureCounters Count()
    {
        TraceCounters traces = Tracing.Counters;
        return new(_events, _lost, _overruns, _repaired, _malformed + traces.Malformed + _packets.Malformed, _table.Folded)
        {
            EventlessFlows = _table.Eventless,
            ConntrackDrops = _conntrackDrops,
            ConntrackEarlyDrops = _conntrackEarlyDrops,
            RecordingLost = _recordingLost,
            Packets = _packets.Packets,
            PacketsLost = _packetsLost,
            PacketsSkipped = _packets.Skipped,
            NftablesTraces = traces.NftablesMessages,
            NftablesTracesLost = traces.NftablesLost,
            TracesIncomplete = traces.Incomplete,
            IptablesTraces = traces.IptablesLines,
            IptablesTracesLost = traces.IptablesLost,
            ProcessesLost = _processesLost + Processes.Lost,
            ProcessesUncertain = Processes.Uncertain,
        };
    }
}
