using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Tests;

/// <summary>What captures note of a namespace.</summary>
internal sealed partial class TestNamespace
{
    /// <summary>Where captures note the namespace's settings as they were, while they have accounting switched on.</summary>
    public string AccountingFile => StateFile(AccountingLease.Purpose);

    /// <summary>Identifies it among other namespaces.</summary>
    public NetworkNamespaceId Id => Do(() =>
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "the test");
        return NetworkNamespaceId.OfThread(socket.NamespaceCookie());
    });

    /// <summary>Where captures note the namespace's settings as they were, while they have them changed.</summary>
    public string StateFile(SettingsPurpose purpose) =>
        $"{SettingsLease.StateDirectory}/{purpose.Name}-{Id.Name}.json";

    partial void BeforeRemoval()
    {
        // The directory is there only once a capture has changed settings.
        foreach (string file in SettingsPurpose.All.Select(StateFile).Where(File.Exists))
        {
            File.Delete(file);
        }
    }
}
