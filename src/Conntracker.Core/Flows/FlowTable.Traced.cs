namespace Conntracker.Core.Flows;

/// <summary>The table's part for traced flows, including those that connection tracking does not report.</summary>
internal sealed partial class FlowTable
{
    /// <summary>The slot of the flow into which a connection was folded while it was open; -1 if there is none.</summary>
    public int FindFolded(ref readonly FlowKey key) => _aggregator.Find(in key);

    /// <summary>Adds a flow that only a trace has shown. The caller knows that its key is not in the table.</summary>
    /// <returns>Its slot.</returns>
    public int AddUnconfirmed(ref readonly FlowKey key, long now)
    {
        if (MakeRoom() && Find(in key) is >= 0 and int slot)
        {
            // A folded flow has this very key (an ICMP query with id 0).
            _store[slot].AddConnections(1);
            _store[slot].LastSeen = Math.Max(_store[slot].LastSeen, now);
            return slot;
        }

        return Add(in key, FlowFlags.Unconfirmed, now);
    }

    /// <summary>
    /// Merges a flow that only a trace has shown into another one, because it turned out to be the same connection: a traced packet does not carry
    /// its zone.
    /// </summary>
    /// <param name="slot">The flow that stays.</param>
    /// <param name="unconfirmed">The flow that is removed.</param>
    public void Absorb(int slot, int unconfirmed)
    {
        _store.Details.Merge(ref _store[slot], _store[unconfirmed].Details);
        _index.Remove(unconfirmed);
        _store.Free(unconfirmed);
    }

    /// <summary>Merges a flow that only a trace has shown into another one, because its packets turned out to answer that one.</summary>
    /// <param name="slot">The flow that stays.</param>
    /// <param name="answers">The flow that is removed. Its packets do not show what the rules did to the flow that they answer.</param>
    public void AbsorbAnswers(int slot, int answers)
    {
        _store.Details.MergeAnswers(ref _store[slot], _store[answers].Details);
        _index.Remove(answers);
        _store.Free(answers);
    }

    /// <summary>Replaces the numbers of steps in all details.</summary>
    /// <param name="numbers">The new number of each step, by its old one.</param>
    public void RenumberSteps(ReadOnlySpan<int> numbers)
    {
        for (int slot = 0; slot < _store.HighWater; slot++)
        {
            if (_store[slot] is { IsUsed: true, Details: not 0 and int details })
            {
                _store.Details.Renumber(ref _store.Details[details], numbers);
            }
        }
    }
}
