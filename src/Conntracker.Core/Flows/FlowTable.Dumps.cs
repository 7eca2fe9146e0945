namespace Conntracker.Core.Flows;

/// <summary>The table's handling of dumps: what a dump does not show is closed.</summary>
internal sealed partial class FlowTable
{
    /// <summary>Begins a dump of the kernel's table. All its answers come between this call and <see cref="EndDump"/>.</summary>
    /// <param name="now">When the dump was requested: ticks of UTC.</param>
    /// <param name="showsEventless">
    /// Whether the kernel may send no events for connections that the dump shows first; false when events were lost.
    /// </param>
    public void BeginDump(long now, bool showsEventless)
    {
        _lastDump++;
        _dumpStarted = now;
        _endsBeforeDump = _ends.Count;
        _dumpShowsEventless = showsEventless;
    }

    /// <summary>
    /// Completes a dump: open flows that it did not show, and that no event has reported since it began, have ended.
    /// </summary>
    /// <returns>The number of flows that were closed.</returns>
    public int EndDump(long now)
    {
        int closed = 0;
        int eventless = 0;
        for (int slot = 0; slot < _store.HighWater; slot++)
        {
            ref FlowRecord record = ref _store[slot];
            bool isOpen = record.IsUsed && !record.IsClosed && !record.IsUnconfirmed && record.Folding == FlowFolding.None;
            if (isOpen && record.LastDump != _lastDump && record.LastSeen < _dumpStarted)
            {
                Close(slot, ref record);
                record.LastSeen = now;
                closed++;
            }

            eventless += record.IsUsed && record.IsEventless ? 1 : 0;
        }

        Eventless = eventless;
        AbandonDump();
        return closed;
    }

    /// <summary>Abandons an incomplete dump: nothing follows from what it did not show.</summary>
    public void AbandonDump()
    {
        _dumpStarted = long.MaxValue;
        _endsBeforeDump = long.MaxValue;
    }
}
