using Conntracker.Core.Native;

namespace Conntracker.Core.KernelSettings;

/// <summary>
/// Chooses where a network namespace logs traced packets while a capture traces, for IPv4 and IPv6. The LOG target ignores this setting. A
/// logger whose module is not loaded cannot be chosen: open the source first, which loads the module.
/// </summary>
internal static class PacketLoggerLease
{
    private const string IPv4 = "nf_log/2";
    private const string IPv6 = "nf_log/10";
    private const string Nflog = "nfnetlink_log";

    private static readonly Dictionary<string, string> s_nflog = new() { [IPv4] = Nflog, [IPv6] = Nflog };
    private static readonly Dictionary<string, string> s_kernelLog = new() { [IPv4] = "nf_log_ipv4", [IPv6] = "nf_log_ipv6" };

    /// <summary>The settings for the protocol families PF_INET and PF_INET6. Without a logger they read NONE, which can also be written.</summary>
    public static SettingsPurpose Purpose { get; } = new("logger", "The trace of iptables-legacy", "the logger of traced packets changed", s_nflog);

    /// <summary>
    /// Chooses a logger until the lease is disposed: see <see cref="SettingsLease.Acquire"/>. While another capture needs the other
    /// logger, this one is refused: that capture would receive nothing more.
    /// </summary>
    public static SettingsLease Acquire(
        PacketLogger logger,
        NetworkNamespaceId networkNamespace,
        string settingsDirectory = SettingsLease.SettingsDirectory,
        string stateDirectory = SettingsLease.StateDirectory) =>
        SettingsLease.Acquire(Purpose, logger == PacketLogger.Nflog ? s_nflog : s_kernelLog, networkNamespace, settingsDirectory, stateDirectory);
}
