namespace Conntracker.Core.Flows;

/// <summary>What the table does for flows that are traced, among them those that connection tracking does not tell of.</summary>
internal sealed partial class FlowTable
{
    /// <summary>The place of the flow that a connection was folded into while it was open; -1 when there is none.</summary>
    public int FindFolded(ref readonly FlowKey key) => _folder.Find(in key);

    /// <summary>Adds a flow of which only a trace tells; there is none of its key.</summary>
    /// <returns>Its slot.</returns>
    public int AddUnconfirmed(ref readonly FlowKey key, long now)
    {
        if (MakeRoom() && Find(in key) is >= 0 and int slot)
        {
            // What was folded has taken this very key (an ICMP query with the id 0).
            _store[slot].AddConnections(1);
            _store[slot].LastSeen = Math.Max(_store[slot].LastSeen, now);
            return slot;
        }

        return Add(in key, FlowFlags.Unconfirmed, now);
    }

    /// <summary>
    /// Takes in a flow of which only a trace told, because it turned out to be the same connection as another: a packet does not carry
    /// its zone.
    /// </summary>
    /// <param name="slot">The flow that stays.</param>
    /// <param name="unconfirmed">The one that goes.</param>
    public void Absorb(int slot, int unconfirmed)
    {
        _store.Details.Merge(ref _store[slot], _store[unconfirmed].Details);
        _index.Remove(unconfirmed);
        _store.Free(unconfirmed);
    }

    /// <summary>Takes in a flow of which only a trace told, because its packets turned out to be the answers to another's.</summary>
    /// <param name="slot">The flow that stays.</param>
    /// <param name="answers">The one that goes. Its packets say nothing of what the rules did to the flow that they answer.</param>
    public void AbsorbAnswers(int slot, int answers)
    {
        _store.Details.MergeAnswers(ref _store[slot], _store[answers].Details);
        _index.Remove(answers);
        _store.Free(answers);
    }

    /// <summary>Replaces the numbers of steps in all details.</summary>
    /// <param name="numbers">For each number the one that takes its place.</param>
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
