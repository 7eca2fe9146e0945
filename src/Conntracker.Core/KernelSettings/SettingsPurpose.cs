namespace Conntracker.Core.KernelSettings;

/// <summary>What some of the kernel's settings are lent for.</summary>
/// <param name="Name">How its state files are named.</param>
/// <param name="Subject">Who needs the settings, as a sentence about a failure begins: <c>Accounting</c>.</param>
/// <param name="LeftBehind">What a killed capture leaves, as in "had left … ": <c>accounting switched on</c>.</param>
/// <param name="Settings">The settings, by their paths below /proc/sys/net/netfilter, with the values that they are usually given.</param>
internal sealed record SettingsPurpose(string Name, string Subject, string LeftBehind, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>Every purpose that there is: what a start has to look for, after a capture was killed.</summary>
    public static IReadOnlyList<SettingsPurpose> All => [AccountingLease.Purpose, PacketLoggerLease.Purpose];
}
