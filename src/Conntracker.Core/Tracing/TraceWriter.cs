using System.Collections.Frozen;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>Writes traces into the details of flows, and creates the flows that connection tracking does not report.</summary>
internal sealed class TraceWriter
{
    private readonly FlowTable _flows;
    private readonly StepTable _steps;
    private readonly FrozenSet<FlowProtocol>? _protocols;

    /// <param name="flows">The flows.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="protocols">The protocols that the capture keeps; null for all.</param>
    public TraceWriter(FlowTable flows, StepTable steps, FrozenSet<FlowProtocol>? protocols)
    {
        _flows = flows;
        _steps = steps;
        _protocols = protocols;
    }

    /// <summary>Called with the slot of each flow whose first packet was dropped or rejected.</summary>
    public Action<int>? Ended { get; set; }

    /// <summary>Whether flows of a protocol are kept.</summary>
    public bool Keeps(FlowProtocol protocol) => _protocols is null || _protocols.Contains(protocol);

    /// <summary>Creates the flow of a packet; the caller has made sure that there is none.</summary>
    /// <returns>Its slot.</returns>
    public int Create(ref readonly FlowKey header, long time) => _flows.AddUnconfirmed(in header, time);

    /// <summary>Counts a packet of a flow.</summary>
    public void CountPacket(int slot, long time)
    {
        ref FlowRecord record = ref _flows[slot];
        ref FlowDetails details = ref _flows.Details.Of(ref record);
        details.Flags |= details.Packets == 0 && record.IsUnconfirmed ? FlowDetailFlags.BegunUnconfirmed : FlowDetailFlags.None;
        details.Packets += details.Packets == uint.MaxValue ? 0u : 1u;
        record.LastSeen = record.IsUnconfirmed ? time : record.LastSeen;
    }

    /// <summary>Adds a step of a packet to its flow.</summary>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="step">The step's number; -1 for one that could not be kept.</param>
    /// <param name="isOriginal">Whether the packet is the originator's, and shows what the rules do to the flow.</param>
    public void AddStep(int slot, int step, bool isOriginal)
    {
        ref FlowDetails details = ref _flows.Details.Of(ref _flows[slot]);
        if (step < 0)
        {
            details.Flags |= FlowDetailFlags.StepsLeftOut;
            return;
        }

        if (isOriginal)
        {
            bool isTaken = _steps[step].View.Verdict is "queue" or "stolen";
            details.Flags = isTaken ? details.Flags | FlowDetailFlags.Taken : details.Flags & ~FlowDetailFlags.Taken;
        }

        bool hasEnded = isOriginal && VerdictResolver.Apply(ref details, step, _flows.Details, _steps);
        _flows.Details.AddStep(ref details, step, packets: 1, isOriginal);
        if (hasEnded)
        {
            Ended?.Invoke(slot);
        }
    }

    /// <summary>Marks that steps of a flow's packet are missing.</summary>
    public void LeaveOut(int slot) => _flows.Details.Of(ref _flows[slot]).Flags |= FlowDetailFlags.StepsLeftOut;

    /// <summary>Marks that a packet of a flow has passed its last hook.</summary>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isOriginal">Whether the packet is the originator's, and shows what the rules do to the flow.</param>
    /// <param name="isReply">Whether it is a reply, and not an ICMP error.</param>
    /// <returns>Whether it is the first of the originator's packets that is known to have passed.</returns>
    public bool Pass(int slot, bool isOriginal, bool isReply)
    {
        ref FlowRecord record = ref _flows[slot];
        ref FlowDetails details = ref _flows.Details.Of(ref record);
        bool isFirst = isOriginal && (details.Flags & FlowDetailFlags.Passed) == 0;
        if (isOriginal)
        {
            details.Flags |= FlowDetailFlags.Passed;
        }
        else if (isReply && !record.IsReplied && (!record.IsUnconfirmed || (details.Flags & FlowDetailFlags.Passed) != 0) && !IsRejected(in details))
        {
            // Connection tracking does not report it for a connection that is refused at once, or that a rule exempts from tracking.
            record.Flags |= FlowFlags.Replied;
        }

        return isFirst;
    }

    /// <summary>
    /// Undoes <see cref="Pass"/> for a packet that was the first of its originator to pass: it was dropped behind its last hook.
    /// </summary>
    public void TakePassBack(int slot) => _flows.Details.Of(ref _flows[slot]).Flags &= ~FlowDetailFlags.Passed;

    // A reply to a rejected packet is the firewall's own.
    private bool IsRejected(ref readonly FlowDetails details)
    {
        foreach ((int step, _, _) in _flows.Details.Steps(in details))
        {
            if (_steps[step].Outcome == StepOutcome.Reject)
            {
                return true;
            }
        }

        return false;
    }
}
