namespace Conntracker.Core.Tracing;

/// <summary>
/// The table and base chain in which a step was reported, by the kernel's handles. A name may be given to another table or chain while packets pass,
/// and the handles of its rules then start again; the handle of a table is never reused.
/// </summary>
/// <param name="Table">The table's handle; null when there is no such table, or its handle is not known.</param>
/// <param name="Chain">The base chain's handle; null when there is none, or its handle is not known.</param>
/// <param name="IsSure">False after changes were lost: the names may belong to other objects by now.</param>
internal readonly record struct RuleEpoch(ulong? Table, ulong? Chain, bool IsSure)
{
    /// <summary>No table at all: no text contains a step reported there.</summary>
    public static RuleEpoch None { get; } = new(Table: null, Chain: null, IsSure: true);
}
