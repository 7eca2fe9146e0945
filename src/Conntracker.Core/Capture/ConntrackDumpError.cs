using Conntracker.Core.Native;

namespace Conntracker.Core.Capture;

/// <summary>What it means when the kernel does not answer a dump of its connection table.</summary>
internal static class ConntrackDumpError
{
    /// <summary>The exception for an error number.</summary>
    public static ConntrackException Of(int errno) => errno is ErrnoConstants.EPERM or ErrnoConstants.EACCES
        ? new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"The kernel's connection table cannot be read: {Errno.Describe(errno)}. The capability CAP_NET_ADMIN is missing: run as root, or under sudo.")
        : new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"The kernel's connection table cannot be read: {Errno.Describe(errno)}. The kernel lacks CONFIG_NF_CT_NETLINK (module nf_conntrack_netlink).");
}
