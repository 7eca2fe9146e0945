using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>A cmdlet that starts or ends the tracing of flows that have properties in common, in one running capture.</summary>
public abstract class FlowTraceCmdlet : ConntrackCmdlet
{
    /// <summary>The parameter set for flows as objects.</summary>
    protected const string ByFlow = "Flow";

    /// <summary>The parameter set for properties that flows have in common.</summary>
    protected const string BySelector = "Selector";

    /// <summary>Protocols.</summary>
    [Parameter(ParameterSetName = BySelector, HelpMessage = "Protocols, by name or number.")]
    [Protocol]
    public FlowProtocol[] Protocol { get; set; } = [];

    /// <summary>Originators.</summary>
    [Parameter(ParameterSetName = BySelector, HelpMessage = "The originator's address before NAT: addresses or subnets, 192.0.2.7 or 10.0.0.0/8.")]
    public AddressRange[] SrcAddress { get; set; } = [];

    /// <summary>Destinations.</summary>
    [Parameter(ParameterSetName = BySelector, HelpMessage = "The address that the originator sent to, before NAT: addresses or subnets.")]
    public AddressRange[] DstAddress { get; set; } = [];

    /// <summary>Source ports.</summary>
    [Parameter(ParameterSetName = BySelector, HelpMessage = "The originator's port: ports or ranges, 53 or 8000-8999.")]
    public PortRange[] SrcPort { get; set; } = [];

    /// <summary>Destination ports.</summary>
    [Parameter(ParameterSetName = BySelector, HelpMessage = "The port that the originator sent to: ports or ranges, 53 or 8000-8999.")]
    public PortRange[] DstPort { get; set; } = [];

    /// <summary>The name of the capture.</summary>
    public abstract string? Name { get; set; }

    /// <summary>The capture.</summary>
    public abstract Capture? Capture { get; set; }

    /// <summary>The query of the parameters. Ends the cmdlet when there are none: that would be every flow, which must be requested explicitly.</summary>
    /// <param name="question">The question that the error then asks.</param>
    protected FlowQuery BuildQuery(string question)
    {
        if (Protocol.Length + SrcAddress.Length + DstAddress.Length + SrcPort.Length + DstPort.Length == 0)
        {
            ThrowTerminating(new ArgumentException(question), target: null);
        }

        return new FlowQuery { Protocols = Protocol, SrcAddresses = SrcAddress, DstAddresses = DstAddress, SrcPorts = SrcPort, DstPorts = DstPort };
    }

    /// <summary>
    /// The capture to use: given by name or as an object, or the only running one. Null when one from the pipeline is not running: an error was
    /// written. Without any capture the cmdlet ends.
    /// </summary>
    protected Capture? FindCapture()
    {
        if (Capture is not null)
        {
            if (Name is not null)
            {
                ThrowTerminating(new ArgumentException("Use -Name or -Capture, not both."), Name);
            }

            return IfRunning(Capture);
        }

        IReadOnlyList<Capture> all = CaptureRegistry.All;
        WildcardPattern? pattern = Name is null ? null : WildcardPattern.Get(Name, WildcardOptions.IgnoreCase);
        List<Capture> found = [.. all.Where(each => pattern?.IsMatch(each.Name) ?? each.State == CaptureState.Running)];
        if (found.Count == 0)
        {
            ThrowTerminatingError(Name is null && all.Count > 0 ? ErrorCatalog.CaptureNotRunning(capture: null) : ErrorCatalog.CaptureNotFound(Name));
        }

        if (found.Count > 1)
        {
            ThrowTerminatingError(ErrorCatalog.CaptureAmbiguous(found));
        }

        return IfRunning(found[0]);
    }

    private Capture? IfRunning(Capture capture)
    {
        if (capture.State == CaptureState.Running)
        {
            return capture;
        }

        WriteError(ErrorCatalog.CaptureNotRunning(capture));
        return null;
    }
}
