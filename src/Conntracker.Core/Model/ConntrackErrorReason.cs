namespace Conntracker;

/// <summary>The reason for an error, in terms that a user can act on.</summary>
public enum ConntrackErrorReason
{
    /// <summary>A capability is missing; the message names it.</summary>
    PermissionDenied,

    /// <summary>The running kernel lacks a feature; the message names the configuration option or module.</summary>
    KernelFeatureMissing,

    /// <summary>A shared library is missing; the message names its package.</summary>
    LibnftablesMissing,

    /// <summary>libbpf is missing; the message names its package.</summary>
    LibbpfMissing,

    /// <summary>This build has no eBPF programs; the message names the packages that were missing when it was built.</summary>
    BpfProgramsMissing,

    /// <summary>There is no such network namespace.</summary>
    NamespaceNotFound,

    /// <summary>The kernel refused a request.</summary>
    KernelRefused,

    /// <summary>A recording could not be opened, written or read.</summary>
    RecordingFailed,

    /// <summary>The file is not a recording, has another version, or is damaged.</summary>
    RecordingInvalid,

    /// <summary>A setting of the kernel (sysctl) could not be read or written.</summary>
    SettingFailed,

    /// <summary>A capture of this name exists already.</summary>
    CaptureExists,

    /// <summary>The capture has ended, and the request needs a running one.</summary>
    CaptureNotRunning,

    /// <summary>Tracing is not possible here; the message says why.</summary>
    TraceUnavailable,

    /// <summary>The limit of active traces is reached.</summary>
    TraceLimit,

    /// <summary>Another program holds NFLOG group 0 of the network namespace, where iptables-legacy's trace goes.</summary>
    NflogBusy,

    /// <summary>A flow does not show what its packets look like: it is folded, or was read from a text log.</summary>
    FlowNotTraceable,

    /// <summary>libpcap is missing; the message names its package.</summary>
    LibpcapMissing,

    /// <summary>There is no such interface in the network namespace.</summary>
    InterfaceNotFound,

    /// <summary>Packets cannot be captured on the interface; the message has libpcap's own text.</summary>
    InterfaceRefused,

    /// <summary>A filter is not a valid expression of pcap-filter(7).</summary>
    FilterInvalid,

    /// <summary>A capture file could not be opened.</summary>
    PcapFailed,

    /// <summary>The file is not a capture file, or is damaged.</summary>
    PcapInvalid,

    /// <summary>The link type of the packets is not supported; the message names it.</summary>
    LinkTypeUnknown,

    /// <summary>The kernel does not do with a policy what the policy is made for; the message names the flow and the rule.</summary>
    PolicyProofFailed,

    /// <summary>A program that is needed is missing; the message names its package.</summary>
    ProgramMissing,

    /// <summary>A ruleset does not load; the message has the loader's own text.</summary>
    RulesetInvalid,

    /// <summary>The private network namespace of a trial could not be made, or its process ended; the message says why.</summary>
    TrialFailed,

    /// <summary>The description of a host could not be opened.</summary>
    HostDescriptionFailed,

    /// <summary>The file or object is not a description of a host; the message says where it is wrong.</summary>
    HostDescriptionInvalid,
}
