namespace Conntracker.Core.KernelSettings;

/// <summary>Where the kernel logs the traced packets of iptables-legacy.</summary>
internal enum PacketLogger
{
    /// <summary>NFLOG group 0 (nfnetlink_log).</summary>
    Nflog,

    /// <summary>The kernel's own log (nf_log_ipv4 and nf_log_ipv6).</summary>
    KernelLog,
}
