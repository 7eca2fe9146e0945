using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Gets captures.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "ConntrackCapture", DefaultParameterSetName = ByName)]
[OutputType(typeof(Capture))]
public sealed class GetConntrackCaptureCommand : CaptureCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => WriteObject(Resolve(captures: null), enumerateCollection: true);
}
