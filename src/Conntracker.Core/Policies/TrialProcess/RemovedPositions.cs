namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>
/// Rules of iptables-legacy that were deleted from the kernel for a trial: its TRACE lines count without them, users count with them.
/// </summary>
internal sealed class RemovedPositions
{
    private readonly Dictionary<(bool IsIPv6, string Table, string Chain), List<int>> _removed = [];

    /// <summary>Adds a deleted rule, by its position before anything was deleted.</summary>
    public void Add(bool isIPv6, string table, string chain, int position)
    {
        if (!_removed.TryGetValue((isIPv6, table, chain), out List<int>? positions))
        {
            _removed.Add((isIPv6, table, chain), positions = []);
        }

        positions.Add(position);
        positions.Sort();
    }

    /// <summary>The position before anything was deleted, of a rule that the kernel counts as <paramref name="position"/> now.</summary>
    public int Original(bool isIPv6, string table, string chain, int position)
    {
        foreach (int removed in _removed.GetValueOrDefault((isIPv6, table, chain)) ?? [])
        {
            position += removed <= position ? 1 : 0;
        }

        return position;
    }
}
