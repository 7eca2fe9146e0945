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
/// Turns frames of traces and rulesets into details of flows. Live and replayed frames take this same way. The caller holds the
/// capture's gate.
/// </summary>
internal sealed class TraceCollector
{
    // How long a packet's messages may lie apart, and how often is looked for packets of which nothing more comes.
    private static readonly long s_patience = TimeSpan.FromMilliseconds(100).Ticks;

    // How much later connection tracking may tell of a connection than its packets are reported.
    private static readonly long s_aMoment = TimeSpan.FromSeconds(2).Ticks;

    private static readonly long s_longestDelay = TimeSpan.FromSeconds(1).Ticks;

    private readonly StringPool _names = new();
    private readonly StepTable _steps;
    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly TraceWriter _details;
    private readonly NftablesTracer _nftables;
    private readonly IptablesTracer _iptables;
    private TraceSnapshot _view = TraceSnapshot.Empty;
    private long _lastFlush;
    private long _nftablesMessages;
    private long _nftablesLost;
    private long _iptablesLines;
    private long _iptablesLost;
    private long _malformed;

    /// <summary>Makes a collector.</summary>
    /// <param name="flows">The flows.</param>
    /// <param name="protocols">The protocols that the capture keeps; null for all.</param>
    public TraceCollector(FlowTable flows, FrozenSet<FlowProtocol>? protocols)
    {
        _flows = flows;
        _steps = new StepTable(_names, Rules);
        _locator = new FlowLocator(flows);
        _details = new TraceWriter(flows, _steps, protocols);
        _nftables = new NftablesTracer(flows, _locator, _details, _steps, _names, Requests, Rules);
        _iptables = new IptablesTracer(flows, _locator, _details, _steps, _names, Requests);
    }

    /// <summary>The user's rules, as they were read.</summary>
    public RuleBook Rules { get; } = new();

    /// <summary>What is traced.</summary>
    public TraceRequestBook Requests { get; } = new();

    /// <summary>Takes traces as kernels before Linux 6.17 send them, without the packet's connection: for tests.</summary>
    public bool IgnoresConnections { get; set; }

    /// <summary>Whether connection tracking's table is being read for the first time.</summary>
    public bool MayLackFlows
    {
        set => _nftables.MayLackFlows = value;
    }

    /// <summary>Whether anything was ever traced: until then connection tracking's flows need not be remembered here.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Told of each flow whose first packet was dropped or rejected: its place.</summary>
    public Action<int>? Ended
    {
        set => _details.Ended = value;
    }

    /// <summary>Numbers of steps that are taken.</summary>
    public int StepCount => _steps.Count;

    /// <summary>What was seen so far.</summary>
    public TraceCounters Counters => new(_nftablesMessages, _nftablesLost, _iptablesLines, _iptablesLost, _malformed, _nftables.Incomplete + _iptables.Incomplete);

    /// <summary>The steps as they are known now.</summary>
    public TraceSnapshot View => _view.Version == _steps.Version ? _view : _view = new TraceSnapshot(_steps);

    /// <summary>Takes a frame in; false when it is none of traces.</summary>
    public bool Take(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        switch (kind)
        {
            case MessageKind.NftablesTrace:
                Begin();
                TakeNftables(time, data);
                break;
            case MessageKind.Nflog:
                Begin();
                TakeNflog(time, data);
                break;
            case MessageKind.KernelLog:
                Begin();
                TakeKernelLog(time, data);
                break;
            case MessageKind.RulesetRequested when data.Length == 1 && data[0] <= (byte)RulesetKind.Ip6tables:
                TakeRequest((RulesetKind)data[0]);
                break;
            case MessageKind.NftablesRuleset:
                TakeRuleset(RulesetKind.Nftables, data);
                break;
            case MessageKind.IptablesRuleset:
                TakeRuleset(RulesetKind.Iptables, data);
                break;
            case MessageKind.Ip6tablesRuleset:
                TakeRuleset(RulesetKind.Ip6tables, data);
                break;
            case MessageKind.NftablesTraceLost:
                // A change of the ruleset may be among what was lost.
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
            // More of a packet may have been sent and not been read yet, when the reader was late: whoever reads live knows when nothing is left.
            _lastFlush = time;
            _nftables.Flush(time - s_longestDelay);
            _iptables.Retry(time);
        }

        return true;
    }

    /// <summary>Connection tracking has told of a flow.</summary>
    public void AddTuple(int slot)
    {
        if (!IsActive)
        {
            return;
        }

        // In a zone the flow has another key than its packets tell, and so it has when the packet was first reported behind a translation
        // of its addresses; the connection's id shows that both are one.
        ref FlowRecord record = ref _flows[slot];
        if (record.Id != 0 && _locator.Find(record.Id) is >= 0 and int traced && traced != slot && _flows[traced].IsUnconfirmed)
        {
            _flows.Absorb(slot, traced);
        }

        AbsorbAnswers(slot);

        _locator.AddTuple(slot);
        _nftables.FlowAppeared(in _flows[slot]);
    }

    /// <summary>Takes packets and lines that wait for more as they are, if they have waited for long.</summary>
    /// <param name="now">Ticks of UTC; <see cref="long.MaxValue"/> when nothing more comes.</param>
    public void Flush(long now)
    {
        _lastFlush = now == long.MaxValue ? _lastFlush : now;
        _nftables.Flush(now == long.MaxValue ? now : now - s_patience);
        _iptables.Retry(now);
    }

    // Packets of the reply direction that were reported before connection tracking told of a translation look like a flow of their own.
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

    private void TakeNftables(long time, ReadOnlySpan<byte> datagram)
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
                        TakeChange(ref change);
                    }

                    break;
            }
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    // What changes in tables of ours is no change of the user's rules; a table that comes may be the user's nevertheless.
    private void TakeChange(scoped ref readonly RulesetChange change)
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

    private void TakeNflog(long time, ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            Count(NflogDecoder.Decode(in message, out IptablesTraceLine line), in line, time);
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    private void TakeKernelLog(long time, ReadOnlySpan<byte> text) =>
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

    // iptables-legacy tells of no change: whoever asks for its text has seen one.
    private void TakeRequest(RulesetKind kind)
    {
        if (kind != RulesetKind.Nftables)
        {
            _iptables.Bind();
            Rules.Change(kind);
            _steps.Forget();
        }

        Rules.Request(kind);
    }

    private void TakeRuleset(RulesetKind kind, ReadOnlySpan<byte> data)
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
