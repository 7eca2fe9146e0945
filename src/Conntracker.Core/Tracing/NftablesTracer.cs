using Conntracker.Core.Flows;
using Conntracker.Core.Tracing.Nftables;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Joins nftables' trace messages with flows. The messages of a packet share its id; our own table's first chain reports each packet before any rule
/// or NAT has changed it, its last chain reports that nothing can drop it any longer.
/// </summary>
internal sealed partial class NftablesTracer
{
    private static readonly long s_longestWay = TimeSpan.FromSeconds(1).Ticks;

    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly TraceWriter _details;
    private readonly StepTable _steps;
    private readonly StringPool _names;
    private readonly TraceRequestBook _requests;
    private readonly RuleBook _rules;
    private readonly PacketSlots _slots = new();

    // Packets at the end of their path whose flow is not known yet, by their header: the first one of each.
    private readonly Dictionary<FlowKey, int> _waiting = new(FlowKeyComparer.Instance);

    public NftablesTracer(
        FlowTable flows, FlowLocator locator, TraceWriter details, StepTable steps, StringPool names, TraceRequestBook requests, RuleBook rules)
    {
        _flows = flows;
        _locator = locator;
        _details = details;
        _steps = steps;
        _names = names;
        _requests = requests;
        _rules = rules;
    }

    /// <summary>
    /// Packets with missing steps: too many before the flow was known, steps for which there is no room, packets that were completed early because
    /// too many were on their way, and ICMP errors without the packet that caused them.
    /// </summary>
    public long Incomplete { get; private set; }

    /// <summary>Handles a message.</summary>
    public void Take(scoped ref readonly NftTraceMessage message, long time)
    {
        bool isOwn = _rules.IsOwn(message.Family, message.Table);
        int slot = _slots.Find(message.Id);
        bool isOfAnother = slot < 0 || IsOfAnother(in _slots[slot], in message, time);
        bool isFirst = isOwn && TraceRules.IsFirst(message.Chain);
        bool begins = isFirst && message.EntersBaseChain && (isOfAnother || !IsInFirstChain(in _slots[slot], in message));
        if (isOfAnother && isOwn && !begins)
        {
            // The table of another capture: this packet's path ended when ours reported the same.
            return;
        }

        if (begins || isOfAnother)
        {
            if (slot >= 0)
            {
                End(slot);
            }

            slot = Begin(in message, time);
        }

        ref PacketInFlight packet = ref _slots[slot];
        packet.FirstTable = isFirst ? packet.FirstTable : 0;
        LeaveSlot(ref packet);
        AddTuple(ref packet, in message, isOwn);
        if (packet.Place < 0)
        {
            Locate(slot, message.IsReply, message.IsEstablished);
        }
        else
        {
            AddId(ref packet);
        }

        AddHeader(in packet, in message);
        if (!isOwn)
        {
            AddStep(slot, in message);
        }
        else if (TraceRules.IsLast(message.Chain, message.Type))
        {
            // Chains of bridges and of a device's egress come later, and may still drop the packet: more may be reported.
            packet.HasPassed = true;
            NotePass(ref packet);
            if (packet.Place < 0 && packet.HasHeader)
            {
                _waiting.TryAdd(packet.Header, slot);
            }
        }
    }

    /// <summary>Replaces the numbers of steps: <see cref="StepTable.TakeDuplicates"/>.</summary>
    public void Renumber(ReadOnlySpan<int> numbers)
    {
        for (int slot = 0; slot < _slots.Count; slot++)
        {
            foreach (ref int step in _slots.StepsOf(slot))
            {
                step = step < 0 ? step : numbers[step];
            }
        }
    }

    private static bool IsOfAnother(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message, long time) =>
        time - packet.Time > s_longestWay || (packet.ConntrackId != 0 && message.ConntrackId != 0 && packet.ConntrackId != message.ConntrackId);

    // Captures that trace the same packet each have a first chain: in the second of them it is still the same packet.
    private bool IsInFirstChain(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message) =>
        packet.FirstTable != 0 && packet.FirstTable != _names.Of(message.Table)
        && message.HasPacket && FlowKey.AreEqual(in message.Packet.Key, in packet.Header);

    private int Begin(scoped ref readonly NftTraceMessage message, long time)
    {
        int slot = _slots.Take(message.Id, out bool isInUse);
        if (isInUse)
        {
            GiveUp(slot);
        }

        // A packet from this host to itself was counted already on its way out.
        ref PacketInFlight packet = ref _slots.Begin(slot, message.Id, time);
        packet.FirstTable = _names.Of(message.Table);
        packet.IsCounted = message.IsFromLoopback;
        if (message.HasPacket)
        {
            packet.Header = message.Packet.Key;
            packet.Fingerprint = message.Packet.Fingerprint;
            packet.IsError = message.Packet.IsIcmpError;
            packet.IsOpening = PacketInFlight.Opens(in message.Packet);
            if (packet.IsBareError && _slots.FindCause(message.Packet.CauseFingerprint, in packet) is >= 0 and int cause)
            {
                packet.Header = FlowKey.Reverse(in _slots[cause].Header);
            }
        }

        return slot;
    }

    private void AddTuple(ref PacketInFlight packet, scoped ref readonly NftTraceMessage message, bool isOwn)
    {
        packet.ConntrackId = message.ConntrackId != 0 ? message.ConntrackId : packet.ConntrackId;
        if (message.EntersBaseChain && !isOwn)
        {
            BaseKey key = new(TraceEngine.Nftables, message.Family, _names.Of(message.Table), _names.Of(message.Chain));
            packet.Base = _steps.BaseOf(in key);
        }
    }

    // NAT has changed the header on the way: reports of iptables have the new one. The flow may be known only since this report.
    private void AddHeader(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message)
    {
        if (message.EntersBaseChain && packet.Place >= 0 && message.HasPacket && !message.Packet.IsIcmpError && IsThere(in packet)
            && !FlowKey.AreEqual(in message.Packet.Key, in packet.Header) && _locator.Find(in message.Packet.Key, out _) < 0)
        {
            _locator.AddTuple(in message.Packet.Key, packet.Place, packet.IsReply);
        }
    }

    private void Locate(int slot, bool isReply, bool isEstablished)
    {
        ref PacketInFlight packet = ref _slots[slot];
        if (!packet.HasHeader)
        {
            // For IPv6 with extension headers the kernel does not show where the ports are.
            if (packet.ConntrackId != 0 && _locator.Find(packet.ConntrackId) is >= 0 and int named)
            {
                packet.IsReply = isReply;
                Put(slot, named);
            }

            return;
        }

        if (!_details.Keeps(packet.Header.Protocol))
        {
            return;
        }

        // An error without the packet that caused it is known only by its connection.
        int place = packet.IsBareError ? -1 : _locator.Find(in packet.Header, out packet.IsReply);
        if (packet.ConntrackId != 0 && (place < 0 || _flows[place].Id != packet.ConntrackId) && _locator.Find(packet.ConntrackId) is >= 0 and int known)
        {
            place = known;
            packet.IsReply = isReply;
        }

        if (place < 0 && isEstablished)
        {
            // An open connection that is not in the table was aggregated at the flow limit. Its reply tuple is derived without NAT.
            FlowKey original = isReply ? FlowKey.Reverse(in packet.Header) : packet.Header;
            place = _flows.FindFolded(in original);
            packet.IsReply = isReply;
        }

        if (place < 0 && packet.ConntrackId != 0 && !isReply && !packet.IsError && !packet.IsCounted)
        {
            place = _details.Create(in packet.Header, packet.Time);
            packet.IsReply = false;
        }

        if (place >= 0)
        {
            Put(slot, place);
        }
    }

    private void Put(int slot, int place)
    {
        ref PacketInFlight packet = ref _slots[slot];
        packet.Place = place;
        packet.FlowFirstSeen = _flows[place].FirstSeen;
        if (!packet.IsCounted)
        {
            _details.CountPacket(place, packet.Time);
        }

        _requests.Count(in _flows[place], packet.IsCounted ? 0 : 1, packet.StepCount);
        packet.IsCounted = true;
        foreach (int step in _slots.StepsOf(slot))
        {
            _details.AddStep(place, step, IsOriginal(in packet));
        }

        packet.StepCount = 0;
        if (packet.IsCut)
        {
            _details.LeaveOut(place);
        }

        AddId(ref packet);
        NotePass(ref packet);
    }

    // Before the conntrack hook a packet has no id: a flow may be found by the header first. The reply has the same id.
    private void AddId(ref PacketInFlight packet)
    {
        ref FlowRecord record = ref _flows[packet.Place];
        if (packet.ConntrackId == 0 || packet.IsError || record.Id == packet.ConntrackId || record.Folding != FlowFolding.None || _locator.Find(packet.ConntrackId) >= 0)
        {
            return;
        }

        record.Id = record.IsUnconfirmed ? packet.ConntrackId : record.Id;
        _locator.AddTuple(packet.ConntrackId, packet.Place);
    }

    private void NotePass(ref PacketInFlight packet)
    {
        if (packet is { HasPassed: true, IsPassNoted: false, Place: >= 0 } && IsThere(in packet))
        {
            packet.IsFirstToPass = _details.Pass(packet.Place, IsOriginal(in packet), packet.IsReply && !packet.IsError);
            packet.IsPassNoted = true;
        }
    }

    private void AddStep(int slot, scoped ref readonly NftTraceMessage message)
    {
        // The end of a chain is reported as a rule without a handle; that of a base chain has no meaning, since its policy follows.
        ref PacketInFlight packet = ref _slots[slot];
        BaseKey chain = new(TraceEngine.Nftables, message.Family, _names.Of(message.Table), _names.Of(message.Chain));
        bool isChainEnd = message.Type == TraceStepType.Rule && message.Handle == 0;
        if (isChainEnd && packet.Base != 0 && _steps.BaseOf(in chain) == packet.Base)
        {
            return;
        }

        StepKey key = new(
            TraceEngine.Nftables,
            message.Family,
            packet.Base,
            chain.Table,
            chain.Chain,
            isChainEnd ? TraceStepType.Return : message.Type,
            message.Handle,
            message.Verdict,
            _names.Of(message.JumpChain));
        int step = _steps.Of(in key);
        if (step < 0)
        {
            Cut(ref packet);
        }

        bool isEnd = step >= 0 && _steps[step].Outcome >= StepOutcome.Drop;
        packet.IsQueued = message.Verdict >= 0 && (message.Verdict & NF_VERDICT_MASK) is NF_QUEUE or NF_STOLEN;
        if (isEnd && packet.HasPassed)
        {
            TakePassBack(ref packet);
        }

        if (packet.Place >= 0 && IsThere(in packet))
        {
            _details.AddStep(packet.Place, step, IsOriginal(in packet));
            _requests.Count(in _flows[packet.Place], packets: 0, steps: 1);
        }
        else if (!_slots.TryAddStep(slot, step))
        {
            Cut(ref packet);
        }

        if (isEnd)
        {
            End(slot);
        }
    }

    private void Cut(ref PacketInFlight packet)
    {
        Incomplete += packet.IsCut ? 0 : 1;
        packet.IsCut = true;
    }

    // A chain of a bridge or of a device's egress, behind our last one, has dropped it.
    private void TakePassBack(ref PacketInFlight packet)
    {
        if (packet.IsFirstToPass && packet.Place >= 0 && IsThere(in packet))
        {
            _details.TakePassBack(packet.Place);
        }

        packet.HasPassed = packet.IsPassNoted = packet.IsFirstToPass = false;
    }

    // The flow has left its slot: it was merged with another, which gets the rest of the packet's steps, or was aggregated.
    private void LeaveSlot(ref PacketInFlight packet)
    {
        if (packet.Place >= 0 && !IsThere(in packet))
        {
            packet.Place = -1;
        }
    }

    private bool IsThere(ref readonly PacketInFlight packet) =>
        _flows[packet.Place].IsUsed && _flows[packet.Place].FirstSeen == packet.FlowFirstSeen;

    private static bool IsOriginal(ref readonly PacketInFlight packet) => !packet.IsReply && !packet.IsError;
}
