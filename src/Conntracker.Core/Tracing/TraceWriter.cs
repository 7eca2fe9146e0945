using System.Collections.Frozen;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>Writes what was traced into the details of flows, and makes the flows that connection tracking does not tell of.</summary>
internal sealed class TraceWriter
{
    private readonly FlowTable _flows;
    private readonly StepTable _steps;
    private readonly FrozenSet<FlowProtocol>? _protocols;

    /// <summary>Makes a writer.</summary>
    /// <param name="flows">The flows.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="protocols">The protocols that the capture keeps; null for all.</param>
    public TraceWriter(FlowTable flows, StepTable steps, FrozenSet<FlowProtocol>? protocols)
    {
        _flows = flows;
        _steps = steps;
        _protocols = protocols;
    }

    /// <summary>Told of each flow whose first packet was dropped or rejected: its place.</summary>
    public Action<int>? Ended { get; set; }

    /// <summary>Whether flows of a protocol are kept.</summary>
    public bool Keeps(FlowProtocol protocol) => _protocols is null || _protocols.Contains(protocol);

    /// <summary>Makes a flow of a packet that belongs to none; the caller has looked.</summary>
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

    /// <summary>A packet of a flow passed a step.</summary>
    /// <param name="slot">The flow's place.</param>
    /// <param name="step">The step's number; -1 for one that could not be kept.</param>
    /// <param name="isOriginal">Whether the packet is the originator's, and speaks for what the rules do to the flow.</param>
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

    /// <summary>Steps of a packet of a flow are missing.</summary>
    public void LeaveOut(int slot) => _flows.Details.Of(ref _flows[slot]).Flags |= FlowDetailFlags.StepsLeftOut;

    /// <summary>A packet of a flow has passed its last hook.</summary>
    /// <param name="slot">The flow's place.</param>
    /// <param name="isOriginal">Whether the packet is the originator's, and speaks for what the rules do to the flow.</param>
    /// <param name="isReply">Whether it is an answer, and no ICMP error.</param>
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
            // Connection tracking does not say so of a connection that is refused at once, or that a rule exempts from it.
            record.Flags |= FlowFlags.Replied;
        }

        return isFirst;
    }

    /// <summary>A packet that <see cref="Pass"/> was called for, as the first of its originator, was dropped behind its last hook.</summary>
    public void TakePassBack(int slot) => _flows.Details.Of(ref _flows[slot]).Flags &= ~FlowDetailFlags.Passed;

    // An answer to what was rejected is the firewall's own.
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
