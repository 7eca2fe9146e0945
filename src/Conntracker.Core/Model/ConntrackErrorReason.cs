namespace Conntracker;

/// <summary>Why something could not be done, in the terms in which a user can act on it.</summary>
public enum ConntrackErrorReason
{
    /// <summary>A capability is missing; the message names it.</summary>
    PermissionDenied,

    /// <summary>The running kernel lacks something; the message names the configuration option or module.</summary>
    KernelFeatureMissing,

    /// <summary>A shared library is missing; the message names its package.</summary>
    LibnftablesMissing,

    /// <summary>libbpf is missing; the message names its package.</summary>
    LibbpfMissing,

    /// <summary>This build has no eBPF programs; the message names the packages that were missing when it was made.</summary>
    BpfProgramsMissing,

    /// <summary>There is no such network namespace.</summary>
    NamespaceNotFound,

    /// <summary>The kernel refused a request.</summary>
    KernelRefused,

    /// <summary>A recording could not be opened, written or read.</summary>
    RecordingFailed,

    /// <summary>A recording is not what it should be: another format, another version, damaged.</summary>
    RecordingInvalid,

    /// <summary>A setting of the kernel (sysctl) could not be read or written.</summary>
    SettingFailed,

    /// <summary>A capture of this name exists already.</summary>
    CaptureExists,

    /// <summary>The capture has ended, and something was asked that only a running one can do.</summary>
    CaptureNotRunning,

    /// <summary>Nothing can be traced here; the message says why.</summary>
    TraceUnavailable,

    /// <summary>More is traced than can be.</summary>
    TraceLimit,

    /// <summary>Another program holds NFLOG group 0 of the network namespace, where iptables-legacy's trace goes.</summary>
    NflogBusy,

    /// <summary>A flow does not say what its packets look like: it is folded, or was read from a text log.</summary>
    FlowNotTraceable,

    /// <summary>libpcap is missing; the message names its package.</summary>
    LibpcapMissing,

    /// <summary>There is no such interface in the network namespace.</summary>
    InterfaceNotFound,

    /// <summary>Packets cannot be captured there; the message has libpcap's own words.</summary>
    InterfaceRefused,

    /// <summary>A filter is not what pcap-filter(7) describes.</summary>
    FilterInvalid,

    /// <summary>A capture file could not be opened.</summary>
    PcapFailed,

    /// <summary>A capture file is not what it should be.</summary>
    PcapInvalid,

    /// <summary>Packets have headers of a kind that cannot be read; the message names it.</summary>
    LinkTypeUnknown,
}
