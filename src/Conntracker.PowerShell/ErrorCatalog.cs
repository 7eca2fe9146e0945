using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>
/// Every error of the module, with its id and category. Ids are part of the module's interface: scripts compare them.
/// </summary>
internal static class ErrorCatalog
{
    /// <summary>The error record of an exception of the engine.</summary>
    public static ErrorRecord Record(Exception error, object? target)
    {
        (string id, ErrorCategory category) = error switch
        {
            ConntrackException { Reason: ConntrackErrorReason reason } => Of(reason),
            LogFileException { Reason: LogFileReason reason } => Of(reason),
            LogFormatException => ("LogLineInvalid", ErrorCategory.InvalidData),
            ArgumentException => ("ConntrackArgumentInvalid", ErrorCategory.InvalidArgument),
            UnauthorizedAccessException => ("ConntrackPermissionDenied", ErrorCategory.PermissionDenied),
            FileNotFoundException or DirectoryNotFoundException => ("LogNotFound", ErrorCategory.ObjectNotFound),
            IOException => ("ConntrackIOFailed", ErrorCategory.ReadError),
            _ => ("ConntrackFailed", ErrorCategory.NotSpecified),
        };
        ErrorRecord record = new(error, id, category, target);
        if (category == ErrorCategory.PermissionDenied)
        {
            record.ErrorDetails = new ErrorDetails(error.Message)
            {
                RecommendedAction = "Start PowerShell as root (sudo pwsh). Replaying recordings and reading logs require no privileges.",
            };
        }

        return record;
    }

    /// <summary>There is no capture of this name.</summary>
    public static ErrorRecord CaptureNotFound(string? name) => new(
        new ItemNotFoundException(name is null
            ? "There is no capture. Start one with Start-ConntrackCapture, or read the kernel's table once with Get-ConntrackFlow -Live."
            : $"There is no capture named '{name}'. Get-ConntrackCapture lists all captures."),
        "CaptureNotFound",
        ErrorCategory.ObjectNotFound,
        name);

    /// <summary>Several captures where one is required.</summary>
    public static ErrorRecord CaptureAmbiguous(IEnumerable<Capture> captures) => new(
        new ArgumentException($"There are several captures: {string.Join(", ", captures.Select(each => each.Name))}. Select one with -Name."),
        "CaptureAmbiguous",
        ErrorCategory.InvalidArgument,
        targetObject: null);

    /// <summary>Only a running capture can do what was requested.</summary>
    /// <param name="capture">The capture; null when no capture runs.</param>
    public static ErrorRecord CaptureNotRunning(Capture? capture) => new(
        new InvalidOperationException(capture is null
            ? "No capture is running, and only a running capture can trace. Start one with Start-ConntrackCapture."
            : $"The capture {capture.Name} is {capture.State}, and only a running capture can trace. Start another one with Start-ConntrackCapture."),
        "CaptureNotRunning",
        ErrorCategory.InvalidOperation,
        capture);

    /// <summary>No packet can match the selector, or it is too large for one trace.</summary>
    public static ErrorRecord TraceSelectorInvalid(ArgumentException error, FlowQuery query) =>
        new(error, "TraceSelectorInvalid", ErrorCategory.InvalidArgument, query);

    /// <summary>What describes flows that nobody has seen contradicts itself.</summary>
    public static ErrorRecord FlowDescriptionInvalid(ArgumentException error, FlowDescription description) =>
        new(error, "FlowDescriptionInvalid", ErrorCategory.InvalidArgument, description);

    /// <summary>There is no such file of a ruleset.</summary>
    public static ErrorRecord RulesetNotFound(string path) => new(
        new ItemNotFoundException($"There is no ruleset '{path}'. Specify a file of nft, or of iptables-save."),
        "RulesetNotFound",
        ErrorCategory.ObjectNotFound,
        path);

    /// <summary>There are no flows to test a ruleset with.</summary>
    public static ErrorRecord NothingToTest() => new(
        new ItemNotFoundException(
            "There are no flows to test: there is no capture. Pipe flows of Get-ConntrackFlow -Live, New-ConntrackFlow or Import-ConntrackLog, "
            + "or start a capture with Start-ConntrackCapture."),
        "CaptureNotFound",
        ErrorCategory.ObjectNotFound,
        targetObject: null);

    /// <summary>There is no such trace.</summary>
    public static ErrorRecord FlowTraceNotFound(string text, object target) =>
        new(new ItemNotFoundException(text), "FlowTraceNotFound", ErrorCategory.ObjectNotFound, target);

    private static (string Id, ErrorCategory Category) Of(ConntrackErrorReason reason) => reason switch
    {
        ConntrackErrorReason.PermissionDenied => ("ConntrackPermissionDenied", ErrorCategory.PermissionDenied),
        ConntrackErrorReason.KernelFeatureMissing => ("KernelFeatureMissing", ErrorCategory.ResourceUnavailable),
        ConntrackErrorReason.LibnftablesMissing => ("LibnftablesNotFound", ErrorCategory.NotInstalled),
        ConntrackErrorReason.LibbpfMissing => ("LibbpfNotFound", ErrorCategory.NotInstalled),
        ConntrackErrorReason.BpfProgramsMissing => ("BpfProgramsNotFound", ErrorCategory.NotInstalled),
        ConntrackErrorReason.NamespaceNotFound => ("NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound),
        ConntrackErrorReason.KernelRefused => ("KernelRefused", ErrorCategory.InvalidResult),
        ConntrackErrorReason.RecordingFailed => ("RecordingFailed", ErrorCategory.OpenError),
        ConntrackErrorReason.RecordingInvalid => ("RecordingInvalid", ErrorCategory.InvalidData),
        ConntrackErrorReason.SettingFailed => ("KernelSettingFailed", ErrorCategory.WriteError),
        ConntrackErrorReason.CaptureExists => ("CaptureExists", ErrorCategory.ResourceExists),
        ConntrackErrorReason.NflogBusy => ("NflogBusy", ErrorCategory.ResourceBusy),
        ConntrackErrorReason.CaptureNotRunning => ("CaptureNotRunning", ErrorCategory.InvalidOperation),
        ConntrackErrorReason.TraceUnavailable => ("TraceUnavailable", ErrorCategory.ResourceUnavailable),
        ConntrackErrorReason.TraceLimit => ("TraceLimit", ErrorCategory.LimitsExceeded),
        ConntrackErrorReason.LibpcapMissing => ("LibpcapNotFound", ErrorCategory.NotInstalled),
        ConntrackErrorReason.InterfaceNotFound => ("InterfaceNotFound", ErrorCategory.ObjectNotFound),
        ConntrackErrorReason.InterfaceRefused => ("InterfaceRefused", ErrorCategory.OpenError),
        ConntrackErrorReason.FilterInvalid => ("FilterInvalid", ErrorCategory.InvalidArgument),
        ConntrackErrorReason.PcapFailed => ("PcapFailed", ErrorCategory.OpenError),
        ConntrackErrorReason.PcapInvalid => ("PcapInvalid", ErrorCategory.InvalidData),
        ConntrackErrorReason.LinkTypeUnknown => ("LinkTypeUnknown", ErrorCategory.InvalidData),
        ConntrackErrorReason.ProgramMissing => ("ProgramNotFound", ErrorCategory.NotInstalled),
        ConntrackErrorReason.RulesetInvalid => ("RulesetInvalid", ErrorCategory.InvalidData),
        ConntrackErrorReason.TrialFailed => ("FirewallTrialFailed", ErrorCategory.ResourceUnavailable),
        ConntrackErrorReason.HostDescriptionFailed => ("HostDescriptionFailed", ErrorCategory.OpenError),
        ConntrackErrorReason.HostDescriptionInvalid => ("HostDescriptionInvalid", ErrorCategory.InvalidData),
        ConntrackErrorReason.PolicyProofFailed => ("PolicyProofFailed", ErrorCategory.InvalidResult),
        ConntrackErrorReason.FlowNotTraceable => ("FlowNotTraceable", ErrorCategory.InvalidArgument),
        _ => ("ConntrackFailed", ErrorCategory.NotSpecified),
    };

    private static (string Id, ErrorCategory Category) Of(LogFileReason reason) => reason switch
    {
        LogFileReason.TargetIsLink => ("LogTargetIsLink", ErrorCategory.SecurityError),
        LogFileReason.ForeignOwner => ("LogForeignOwner", ErrorCategory.SecurityError),
        LogFileReason.NotRegular => ("LogTargetNotRegular", ErrorCategory.InvalidArgument),
        LogFileReason.NotFolder => ("LogTargetNotFolder", ErrorCategory.InvalidArgument),
        LogFileReason.Exists => ("LogExists", ErrorCategory.ResourceExists),
        LogFileReason.NoSpace => ("LogNoSpace", ErrorCategory.LimitsExceeded),
        LogFileReason.Denied => ("ConntrackPermissionDenied", ErrorCategory.PermissionDenied),
        LogFileReason.MissingDirectory => ("LogFolderNotFound", ErrorCategory.ObjectNotFound),
        _ => ("LogWriteFailed", ErrorCategory.WriteError),
    };
}
