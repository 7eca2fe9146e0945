using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Conntrack;

/// <summary>The meaning of errors when the kernel's connection table is dumped.</summary>
internal static class ConntrackDumpError
{
    /// <summary>The exception for an error number.</summary>
    public static ConntrackException Of(int errno) => errno switch
    {
        _ when errno == EPERM || errno == EACCES => new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"The kernel's connection table cannot be read: {Errno.Describe(errno)}. The capability CAP_NET_ADMIN is missing: run as root, or with sudo."),
        _ when IsPassing(errno) => new ConntrackException(
            ConntrackErrorReason.KernelRefused,
            $"The kernel's connection table could not be read to its end: {Errno.Describe(errno)}. The kernel is out of memory, or busy: try again."),
        _ => new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"The kernel's connection table cannot be read: {Errno.Describe(errno)}. The kernel lacks CONFIG_NF_CT_NETLINK (module nf_conntrack_netlink)."),
    };

    /// <summary>Whether another attempt may succeed: the host is short of memory, or busy with another dump.</summary>
    public static bool IsPassing(int errno) => errno == ENOBUFS || errno == ENOMEM || errno == EAGAIN || errno == EINTR || errno == EBUSY;
}
