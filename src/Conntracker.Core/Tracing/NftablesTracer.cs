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

    private readonly PacketJoin _join;
    private readonly StepTable _steps;
    private readonly StringPool _names;
    private readonly RuleBook _rules;
    private readonly IncompleteTraces _incomplete;
    private readonly PacketSlots _slots = new();

    // Packets at the end of their path whose flow is not known yet, by their header: the first one of each.
    private readonly Dictionary<FlowKey, int> _waiting = new(FlowKeyComparer.Instance);

    /// <param name="join">Joins packets with flows.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="names">The names that steps hold as numbers.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="incomplete">
    /// Counts packets with missing steps: too many before the flow was known, steps for which there is no room, packets that were completed early because
    /// too many were on their way, and ICMP errors without the packet that caused them.
    /// </param>
    public NftablesTracer(PacketJoin join, StepTable steps, StringPool names, RuleBook rules, IncompleteTraces incomplete)
    {
        _join = join;
        _steps = steps;
        _names = names;
        _rules = rules;
        _incomplete = incomplete;
    }

    /// <summary>Handles a message.</summary>
    public void Take(scoped ref readonly NftTraceMessage message, long time)
    {
        bool isOwn = _rules.IsOwn(message.Family, message.Table);
        int slot = _slots.Find(message.Id);
        bool isOfAnother = slot < 0 || IsOfAnother(in _slots[slot], in message, time);
        bool isFirst = isOwn && OwnChains.IsFirst(message.Chain);
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
        _join.LeaveSlot(ref packet);
        AddConnection(ref packet, in message, isOwn);
        if (packet.HasFlow)
        {
            _join.AddId(ref packet);
        }
        else
        {
            _join.Locate(ref packet, message.IsReply, message.IsEstablished);
        }

        _join.AddHeader(in packet, in message);
        if (!isOwn)
        {
            AddStep(slot, in message);
        }
        else if (OwnChains.IsPassed(message.Chain, message.Type))
        {
            // Chains of bridges and of a device's egress come later, and may still drop the packet: more may be reported.
            Pass(slot);
        }
    }

    /// <summary>Replaces the numbers of steps: <see cref="StepTable.TakeDuplicates"/>.</summary>
    public void Renumber(ReadOnlySpan<int> numbers) => _slots.Renumber(numbers);

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

    private void AddConnection(ref PacketInFlight packet, scoped ref readonly NftTraceMessage message, bool isOwn)
    {
        packet.ConntrackId = message.ConntrackId != 0 ? message.ConntrackId : packet.ConntrackId;
        if (message.EntersBaseChain && !isOwn)
        {
            BaseKey key = new(TraceEngine.Nftables, message.Family, _names.Of(message.Table), _names.Of(message.Chain));
            packet.Base = _steps.BaseOf(in key);
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
        bool isEnd = step >= 0 && _steps[step].Outcome >= StepOutcome.Drop;
        packet.IsQueued = message.Verdict >= 0 && (message.Verdict & NF_VERDICT_MASK) is NF_QUEUE or NF_STOLEN;
        if (isEnd && packet.HasPassed)
        {
            _join.TakePassBack(ref packet);
        }

        bool isKept = _join.TryAddStep(ref packet, step);
        if (step < 0 || !isKept)
        {
            _incomplete.Add(ref packet);
        }

        if (isEnd)
        {
            End(slot);
        }
    }

    private void Pass(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        packet.Pass = packet.HasPassed ? packet.Pass : PacketPass.Seen;
        _join.RecordPass(ref packet);
        if (!packet.HasFlow && packet.HasHeader)
        {
            _waiting.TryAdd(packet.Header, slot);
        }
    }
}
