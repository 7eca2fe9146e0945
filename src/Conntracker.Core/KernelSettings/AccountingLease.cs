using Conntracker.Core.Native;

namespace Conntracker.Core.KernelSettings;

/// <summary>Has the kernel count and time connections while a capture needs it.</summary>
internal static class AccountingLease
{
    private const string On = "1";

    /// <summary>The settings that accounting needs.</summary>
    public static SettingsPurpose Purpose { get; } = new(
        "accounting",
        "Accounting",
        "accounting enabled",
        new Dictionary<string, string> { ["nf_conntrack_acct"] = On, ["nf_conntrack_timestamp"] = On });

    /// <summary>Enables accounting until the lease is disposed: see <see cref="SettingsLease.Acquire"/>.</summary>
    public static SettingsLease Acquire(
        NetworkNamespaceId networkNamespace, string settingsDirectory = SettingsLease.SettingsDirectory,
        string stateDirectory = SettingsLease.StateDirectory) =>
        SettingsLease.Acquire(Purpose, Purpose.Settings, networkNamespace, settingsDirectory, stateDirectory);
}
