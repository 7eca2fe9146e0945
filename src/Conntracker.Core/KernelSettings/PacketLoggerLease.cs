





using Conntracker.Core.Native;

namespace Conntracker.Core.KernelSettings;

/// <summary>
/// Chooses where a network namespace logs traced packets while somebody traces, for IPv4 and IPv6. The LOG target does not heed it. A
/// logger whose module is not loaded cannot be chosen: open the source first, which loads it.
/// </summary>
internal static class PacketLoggerLease
{
    private const string IPv4 = "nf_log/2";
    private const string IPv6 = "nf_log/10";
    private const string Nflog = "nfnetlink_log";

    private static readonly Dictionary<string, string> s_nflog = new() { [IPv4] = Nflog, [IPv6] = Nflog };
    private static readonly Dictionary<string, string> s_kernelLog = new() { [IPv4] = "nf_log_ipv4", [IPv6] = "nf_log_ipv6" };

    /// <summary>The settings that it takes: the protocol families PF_INET and PF_INET6. They read NONE, and can be set to it, when there is no logger.</summary>
    public static SettingsPurpose Purpose { get; } = new("logger", "The trace of iptables-legacy", "the logger of traced packets changed", s_nflog);

    /// <summary>
    /// Chooses a logger, until the lease is disposed: see <see cref="SettingsLease.Acquire"/>. While another capture needs the other
    /// logger, this one is refused: that capture would go blind.
    /// </summary>
    public static SettingsLease Acquire(
        PacketLogger logger,
        NetworkNamespaceId networkNamespace,
        string settingsDirectory = SettingsLease.SettingsDirectory,
        string stateDirectory = SettingsLease.StateDirectory) =>
        SettingsLease.Acquire(Purpose, logger == PacketLogger.Nflog ? s_nflog : s_kernelLog, networkNamespace, settingsDirectory, stateDirectory);
}
