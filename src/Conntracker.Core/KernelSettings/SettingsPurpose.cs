namespace Conntracker.Core.KernelSettings;

/// <summary>What some of the kernel's settings are changed for.</summary>
/// <param name="Name">The prefix of its state files.</param>
/// <param name="Subject">Who needs the settings, as a sentence about a failure begins: <c>Accounting</c>.</param>
/// <param name="LeftBehind">What a killed capture leaves behind, to follow "had left": <c>accounting enabled</c>.</param>
/// <param name="Settings">The settings, by their paths below /proc/sys/net/netfilter, with their usual new values.</param>
internal sealed record SettingsPurpose(string Name, string Subject, string LeftBehind, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>All purposes: a start checks each of them for what a killed capture left behind.</summary>
    public static IReadOnlyList<SettingsPurpose> All => [AccountingLease.Purpose, PacketLoggerLease.Purpose];
}
