using Conntracker.Core.Decoding;
using Conntracker.Core.Firewall;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Joins what nftables reports, message by message, with flows. The messages of a packet share its id; our own table's first chain
/// reports each packet before any rule or NAT has touched it, its last chain reports that nothing can drop it any more.
/// </summary>
internal sealed partial class NftablesTracer
{
    // Packets of all processors that are between two hooks at a time; a power of two.
    private const int Slots = 1024;

    private static readonly long s_longestWay = TimeSpan.FromSeconds(1).Ticks;

    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly EvidenceWriter _evidence;
    private readonly StepTable _steps;
    private readonly NameTable _names;
    private readonly TraceRequestBook _requests;
    private readonly PacketInFlight[] _packets = new PacketInFlight[Slots];
    private readonly int[] _stepsOfPackets = new int[Slots * PacketInFlight.MaximumSteps];

    /// <summary>Makes a tracer.</summary>
    public NftablesTracer(FlowTable flows, FlowLocator locator, EvidenceWriter evidence, StepTable steps, NameTable names, TraceRequestBook requests)
    {
        _flows = flows;
        _locator = locator;
        _evidence = evidence;
        _steps = steps;
        _names = names;
        _requests = requests;
    }

    /// <summary>Takes a message in.</summary>
    public void Take(scoped ref readonly NftTraceMessage message, long time)
    {
        bool isOwn = OwnTable.IsOwn(message.Family, message.Table);
        int slot = (int)((message.Id * 0x9E3779B1u) >> 22) & (Slots - 1);
        ref PacketInFlight packet = ref _packets[slot];
        bool isOfAnother = packet.Time == 0 || packet.Id != message.Id || time - packet.Time > s_longestWay
            || (packet.ConntrackId != 0 && message.ConntrackId != 0 && packet.ConntrackId != message.ConntrackId);
        bool isFirst = isOwn && TraceRules.IsFirst(message.Chain);
        bool begins = isFirst && message.EntersBaseChain && (isOfAnother || !IsInFirstChain(in packet, in message));
        if (isOfAnother && isOwn && !begins)
        {
            // The table of another capture: this packet's way ended when ours reported the same.
            return;
        }

        if (begins || isOfAnother)
        {
            Settle(slot);
            Begin(ref packet, in message, time);
        }

        packet.FirstTable = isFirst ? packet.FirstTable : 0;
        LeavePlace(ref packet);
        Learn(ref packet, in message, isOwn);
        if (packet.Place < 0)
        {
            Locate(slot, message.IsReply, message.IsEstablished);
        }

        LearnHeader(in packet, in message);
        if (!isOwn)
        {
            AddStep(slot, in message);
        }
        else if (TraceRules.IsLast(message.Chain, message.Type))
        {
            packet.HasPassed = true;
            Settle(slot);
        }
    }

    /// <summary>Replaces the numbers of steps: <see cref="StepTable.TakeDuplicates"/>.</summary>
    public void Renumber(ReadOnlySpan<int> numbers)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            foreach (ref int step in _stepsOfPackets.AsSpan(slot * PacketInFlight.MaximumSteps, _packets[slot].StepCount))
            {
                step = step < 0 ? step : numbers[step];
            }
        }
    }

    // Captures that trace the same packet each have a first chain: what the packet meets in the second of them is no other packet.
    private bool IsInFirstChain(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message) =>
        packet.FirstTable != 0 && packet.FirstTable != _names.Of(message.Table)
        && message.HasPacket && FlowKey.AreEqual(in message.Packet.Key, in packet.Header);

    private void Begin(ref PacketInFlight packet, scoped ref readonly NftTraceMessage message, long time)
    {
        // On its way out a packet to the host itself was counted already.
        packet = new PacketInFlight { Id = message.Id, Time = time, Place = -1, FirstTable = _names.Of(message.Table), IsCounted = message.IsFromLoopback };
        if (message.HasPacket)
        {
            packet.Header = message.Packet.Key;
            packet.IsError = message.Packet.IsIcmpError;
        }
    }

    private void Learn(ref PacketInFlight packet, scoped ref readonly NftTraceMessage message, bool isOwn)
    {
        packet.ConntrackId = message.ConntrackId != 0 ? message.ConntrackId : packet.ConntrackId;
        if (message.EntersBaseChain && !isOwn)
        {
            BaseKey key = new(TraceEngine.Nftables, message.Family, _names.Of(message.Table), _names.Of(message.Chain));
            packet.Base = _steps.BaseOf(in key);
        }
    }

    // NAT has changed the header on the way: reports of iptables bear it as it is now. The flow may be known only since this report.
    private void LearnHeader(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message)
    {
        if (message.EntersBaseChain && packet.Place >= 0 && message.HasPacket && !message.Packet.IsIcmpError && IsThere(in packet)
            && !FlowKey.AreEqual(in message.Packet.Key, in packet.Header) && _locator.Find(in message.Packet.Key, out _) < 0)
        {
            _locator.Learn(in message.Packet.Key, packet.Place, packet.IsReply);
        }
    }

    private void Locate(int slot, bool isReply, bool isEstablished)
    {
        ref PacketInFlight packet = ref _packets[slot];
        if (!packet.HasHeader)
        {
            // Of IPv6 with extension headers the kernel does not show where the ports are.
            if (packet.ConntrackId != 0 && _locator.Find(packet.ConntrackId) is >= 0 and int named)
            {
                packet.IsReply = isReply;
                Put(slot, named);
            }

            return;
        }

        if (!_evidence.Keeps(packet.Header.Protocol))
        {
            return;
        }

        // An error without the packet that it is about is known by its connection only.
        bool isBareError = packet.IsError && FlowKey.IsIcmp(packet.Header.Protocol)
            && PacketDecoder.IsError(packet.Header.Protocol, (byte)(packet.Header.Original.DstPort >> 8));
        int place = isBareError ? -1 : _locator.Find(in packet.Header, out packet.IsReply);
        if (packet.ConntrackId != 0 && (place < 0 || _flows[place].Id != packet.ConntrackId) && _locator.Find(packet.ConntrackId) is >= 0 and int known)
        {
            place = known;
            packet.IsReply = isReply;
        }

        if (place < 0 && isEstablished)
        {
            // An open connection that is not there was folded at the flow limit. Its reply, as good as it can be told: without NAT.
            FlowKey original = isReply ? FlowKey.Reverse(in packet.Header) : packet.Header;
            place = _flows.FindFolded(in original);
            packet.IsReply = isReply;
        }

        if (place < 0 && packet.ConntrackId != 0 && !isReply && !packet.IsError && !packet.IsCounted)
        {
            place = _evidence.Create(in packet.Header, packet.Time);
            packet.IsReply = false;
        }

        if (place >= 0)
        {
            Put(slot, place);
        }
    }

    private void Put(int slot, int place)
    {
        ref PacketInFlight packet = ref _packets[slot];
        packet.Place = place;
        packet.FlowFirstSeen = _flows[place].FirstSeen;
        if (!packet.IsCounted)
        {
            _evidence.CountPacket(place, packet.Time);
        }

        _requests.Count(in _flows[place], packet.IsCounted ? 0 : 1, packet.StepCount);
        packet.IsCounted = true;
        for (int i = 0; i < packet.StepCount; i++)
        {
            _evidence.AddStep(place, _stepsOfPackets[(slot * PacketInFlight.MaximumSteps) + i], IsOriginal(in packet));
        }

        packet.StepCount = 0;
        ref FlowRecord record = ref _flows[place];
        if (packet.ConntrackId != 0 && !packet.IsError && record.IsUnconfirmed && record.Id != packet.ConntrackId)
        {
            record.Id = packet.ConntrackId;
            _locator.Learn(packet.ConntrackId, place);
        }
    }

    private void AddStep(int slot, scoped ref readonly NftTraceMessage message)
    {
        // The end of a chain is reported as a rule without handle; that of a base chain says nothing, for its policy follows.
        ref PacketInFlight packet = ref _packets[slot];
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
        if (packet.Place >= 0 && IsThere(in packet))
        {
            _evidence.AddStep(packet.Place, step, IsOriginal(in packet));
            _requests.Count(in _flows[packet.Place], packets: 0, steps: 1);
        }
        else if (packet.StepCount < PacketInFlight.MaximumSteps)
        {
            _stepsOfPackets[(slot * PacketInFlight.MaximumSteps) + packet.StepCount++] = step;
        }

        if (step >= 0 && _steps[step].Outcome >= StepOutcome.Drop)
        {
            Settle(slot);
        }
    }

    // The flow is gone from there: it turned out to be one with another, where the rest of the packet's steps belong, or was folded.
    private void LeavePlace(ref PacketInFlight packet)
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
