namespace Conntracker.Core.Tracing.Iptables;

/// <summary>The result of comparing the legacy rules, for the lines that waited for it.</summary>
/// <param name="Before">Lines before this mark met the rules of the previous comparison; 0 when that is not known of any.</param>
/// <param name="Mark">Lines before this mark arrived before the rules were compared.</param>
/// <param name="HasChanged4">Whether the rules for IPv4 have changed.</param>
/// <param name="HasChanged6">Whether the rules for IPv6 have changed.</param>
/// <param name="Error">Why the rules could not be compared; null when they were.</param>
internal readonly record struct IptablesCheck(long Before, long Mark, bool HasChanged4, bool HasChanged6, string? Error = null);
