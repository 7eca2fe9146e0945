namespace Conntracker.Core.Tracing.Iptables;

/// <summary>What a comparison of the legacy rules has shown for the lines that waited for it.</summary>
/// <param name="Before">Lines before this mark passed the rules as they were at the comparison before; 0 when that is not known of any.</param>
/// <param name="Mark">Lines before this mark had come before the rules were compared.</param>
/// <param name="HasChanged4">Whether the rules for IPv4 are not what they were.</param>
/// <param name="HasChanged6">Whether the rules for IPv6 are not what they were.</param>
/// <param name="Error">Why the rules could not be compared; null when they were.</param>
internal readonly record struct IptablesCheck(long Before, long Mark, bool HasChanged4, bool HasChanged6, string? Error = null);
