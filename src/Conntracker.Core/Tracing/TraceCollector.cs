using System.Buffers.Binary;
using System.Collections.Frozen;
using Conntracker.Core.Flows;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Turns frames of traces and rulesets into details of flows. Live and replayed frames are handled in the same way. The caller holds the capture's
/// lock.
/// </summary>
internal sealed class TraceCollector
{
    // The maximum time between a packet's messages, and the interval at which packets without further messages are completed.
    private static readonly long s_patience = TimeSpan.FromMilliseconds(100).Ticks;

    // How much later than its packets connection tracking may report a connection.
    private static readonly long s_aMoment = TimeSpan.FromSeconds(2).Ticks;

    private static readonly long s_longestDelay = TimeSpan.FromSeconds(1).Ticks;

    private readonly StringPool _names = new();
    private readonly StepTable _steps;
    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly TraceWriter _details;
    private readonly IncompleteTraces _incomplete = new();
    private readonly NftablesTracer _nftables;
    private readonly IptablesTracer _iptables;
    private TraceSnapshot _view = TraceSnapshot.Empty;
    private long _lastFlush;
    private long _nftablesMessages;
    private long _nftablesLost;
    private long _iptablesLines;
    private long _iptablesLost;
    private long _malformed;

    /// <param name="flows">The flows.</param>
    /// <param name="protocols">The protocols that the capture keeps; null for all.</param>
    public TraceCollector(FlowTable flows, FrozenSet<FlowProtocol>? protocols)
    {
        _flows = flows;
        _steps = new StepTable(_names, Rules);
        _locator = new FlowLocator(flows);
        _details = new TraceWriter(flows, _steps, protocols);
        _nftables = new NftablesTracer(new PacketJoin(flows, _locator, _details, Requests), _steps, _names, Rules, _incomplete);
        _iptables = new IptablesTracer(flows, _locator, _details, _steps, _names, Requests, _incomplete);
    }

    /// <summary>The user's rules, as they were read.</summary>
    public RuleBook Rules { get; } = new();

    /// <summary>The requested traces.</summary>
    public TraceRequestBook Requests { get; } = new();

    /// <summary>Handles traces as kernels before Linux 6.17 send them, without the packet's connection: for tests.</summary>
    public bool IgnoresConnections { get; set; }

    /// <summary>Whether connection tracking's table is being read for the first time.</summary>
    public bool MayLackFlows
    {
        set => _nftables.MayLackFlows = value;
    }

    /// <summary>Whether anything was ever traced: until then connection tracking's flows need not be remembered here.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Called with the slot of each flow whose first packet was dropped or rejected.</summary>
    public Action<int>? Ended
    {
        set => _details.Ended = value;
    }

    /// <summary>How many numbers of steps are in use.</summary>
    public int StepCount => _steps.Count;

    /// <summary>The counters so far.</summary>
    public TraceCounters Counters => new(_nftablesMessages, _nftablesLost, _iptablesLines, _iptablesLost, _malformed, _incomplete.Count);

    /// <summary>The steps known now.</summary>
    public TraceSnapshot View => _view.Version == _steps.Version ? _view : _view = new TraceSnapshot(_steps);

    /// <summary>Handles a frame; false when it does not concern traces.</summary>
    public bool Take(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        switch (kind)
        {
            case MessageKind.NftablesTrace:
                Begin();
                HandleNftables(time, data);
                break;
            case MessageKind.Nflog:
                Begin();
                HandleNflog(time, data);
                break;
            case MessageKind.KernelLog:
                Begin();
                HandleKernelLog(time, data);
                break;
            case MessageKind.RulesetRequested when data.Length == 1 && data[0] <= (byte)RulesetKind.Ip6tables:
                HandleRequest((RulesetKind)data[0]);
                break;
            case MessageKind.NftablesRuleset:
                HandleRuleset(RulesetKind.Nftables, data);
                break;
            case MessageKind.IptablesRuleset:
                HandleRuleset(RulesetKind.Iptables, data);
                break;
            case MessageKind.Ip6tablesRuleset:
                HandleRuleset(RulesetKind.Ip6tables, data);
                break;
            case MessageKind.NftablesTraceLost:
                // A change of the ruleset may be among the lost messages.
                _nftablesLost += Number(data);
                Rules.Lose();
                _steps.Lose();
                _steps.Forget();
                break;
            case MessageKind.IptablesTraceLost:
                _iptablesLost += Number(data);
                break;
            default:
                return false;
        }

        if (time - _lastFlush > s_patience)
        {
            // When the reader is late, further messages of a packet may still be queued: a live reader knows when the queue is empty.
            _lastFlush = time;
            _nftables.Flush(time - s_longestDelay);
            _iptables.Retry(time);
        }

        return true;
    }

    /// <summary>Connection tracking has reported a flow.</summary>
    public void AddTuple(int slot)
    {
        if (!IsActive)
        {
            return;
        }

        // In a zone the flow has another key than its packets show, and so it has when its first packet was reported after NAT; the connection's id
        // shows that both are the same flow.
        ref FlowRecord record = ref _flows[slot];
        if (record.Id != 0 && _locator.Find(record.Id) is >= 0 and int traced && traced != slot && _flows[traced].IsUnconfirmed)
        {
            _flows.Absorb(slot, traced);
        }

        AbsorbAnswers(slot);

        _locator.AddTuple(slot);
        _nftables.FlowAppeared(in _flows[slot]);
    }

    /// <summary>Completes packets and lines that have waited for long.</summary>
    /// <param name="now">Ticks of UTC; <see cref="long.MaxValue"/> when nothing more arrives.</param>
    public void Flush(long now)
    {
        _lastFlush = now == long.MaxValue ? _lastFlush : now;
        _nftables.Flush(now == long.MaxValue ? now : now - s_patience);
        _iptables.Retry(now);
    }

    // Packets of the reply direction that were reported before connection tracking reported NAT look like a flow of their own.
    private void AbsorbAnswers(int slot)
    {
        ref FlowRecord record = ref _flows[slot];
        FlowKey answer = record.Key with { Original = record.Reply, Zone = 0 };
        if (record.Folding == FlowFolding.None && _flows.Find(in answer) is >= 0 and int traced && traced != slot
            && _flows[traced].IsUnconfirmed && _flows[traced].FirstSeen >= record.LastSeen - s_aMoment)
        {
            _flows.AbsorbAnswers(slot, traced);
        }
    }

    private static long Number(ReadOnlySpan<byte> data) =>
        data.Length == sizeof(long) ? Math.Max(0, BinaryPrimitives.ReadInt64LittleEndian(data)) : 0;

    private void Begin()
    {
        if (IsActive)
        {
            return;
        }

        IsActive = true;
        for (int slot = 0; slot < _flows.SlotCount; slot++)
        {
            if (_flows[slot].IsUsed)
            {
                _locator.AddTuple(slot);
            }
        }
    }

    private void HandleNftables(long time, ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            switch (NftTraceDecoder.Decode(in message, out NftTraceMessage trace, IgnoresConnections))
            {
                case DecodeResult.Decoded:
                    _nftablesMessages++;
                    _nftables.Take(ref trace, time);
                    break;
                case DecodeResult.Malformed:
                    _malformed++;
                    break;
                default:
                    if (RulesetChangeDecoder.TryDecode(in message, out RulesetChange change))
                    {
                        HandleChange(ref change);
                    }

                    break;
            }
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    // Changes in our own tables do not change the user's rules; but a new table may be the user's even if its name is ours.
    private void HandleChange(scoped ref readonly RulesetChange change)
    {
        if (change.Kind == RulesetChangeKind.Committed)
        {
            _steps.Bind();
            return;
        }

        Rules.Epochs.Take(in change);
        if (change.Kind is RulesetChangeKind.TableDeleted or RulesetChangeKind.ChainDeleted)
        {
            _steps.Delete(change.Family, change.Table, change.Chain);
        }

        if (!Rules.IsOwn(change.Family, change.Table) || change.Kind is RulesetChangeKind.TableMade or RulesetChangeKind.TableDeleted)
        {
            Rules.Change(RulesetKind.Nftables);
            _steps.Forget();
        }
    }

    private void HandleNflog(long time, ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            Count(NflogDecoder.Decode(in message, out IptablesTraceLine line), in line, time);
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    private void HandleKernelLog(long time, ReadOnlySpan<byte> text) =>
        Count(KernelLogDecoder.Decode(text, out IptablesTraceLine line), in line, time);

    private void Count(DecodeResult result, in IptablesTraceLine line, long time)
    {
        _malformed += result == DecodeResult.Malformed ? 1 : 0;
        if (result == DecodeResult.Decoded)
        {
            _iptablesLines++;
            _iptables.Take(in line, time);
        }
    }

    // iptables-legacy reports no changes: a request for its text implies one.
    private void HandleRequest(RulesetKind kind)
    {
        if (kind != RulesetKind.Nftables)
        {
            _iptables.Bind();
            Rules.Change(kind);
            _steps.Forget();
        }

        Rules.Request(kind);
    }

    private void HandleRuleset(RulesetKind kind, ReadOnlySpan<byte> data)
    {
        bool isFirst = !Rules.HasNftables;
        if (!data.IsEmpty && Rules.Take(kind, data[1..], isLast: data[0] != 0))
        {
            if (isFirst && kind == RulesetKind.Nftables)
            {
                _steps.Bind();
            }

            _steps.Forget();
            _steps.Resolve(kind);
            if (_steps.TakeDuplicates() is int[] kept)
            {
                _flows.RenumberSteps(kept);
                _nftables.Renumber(kept);
                _iptables.Renumber(kept);
            }

            _iptables.Retry(_lastFlush);
        }
    }
}
