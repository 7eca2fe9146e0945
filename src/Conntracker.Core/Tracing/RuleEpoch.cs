namespace Conntracker.Core.Tracing;

/// <summary>
/// In which table and base chain a step was reported, by the kernel's handles. A name may be given to another table or chain while packets
/// pass, and the handles of its rules begin again then; the handle of a table is never given to another.
/// </summary>
/// <param name="Table">The table's handle; null when there is no such table, or it is not known which.</param>
/// <param name="Chain">The base chain's handle; null when there is none, or it is not known which.</param>
/// <param name="IsSure">False after changes were lost: the names may belong to others by now.</param>
internal readonly record struct RuleEpoch(ulong? Table, ulong? Chain, bool IsSure)
{
    /// <summary>No table at all: no text is that of a step reported there.</summary>
    public static RuleEpoch None { get; } = new(Table: null, Chain: null, IsSure: true);
}
