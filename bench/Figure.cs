namespace Conntracker.Bench;

/// <summary>A figure of the report.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The median, in the unit.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Target">What it should be; null for a reference.</param>
/// <param name="IsGood">Whether it is; null for a reference.</param>
internal sealed record Figure(string Name, double Value, string Unit, string? Target, bool? IsGood);
