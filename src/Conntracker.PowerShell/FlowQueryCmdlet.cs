using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>A cmdlet that selects flows. The selection is made before flows become objects.</summary>
public abstract class FlowQueryCmdlet : CaptureCmdlet
{
    /// <summary>Protocols.</summary>
    [Parameter(HelpMessage = "Protocols, by name or number.")]
    [Protocol]
    public FlowProtocol[] Protocol { get; set; } = [];

    /// <summary>Originators.</summary>
    [Parameter(HelpMessage = "The originator's address before NAT: addresses or subnets, 192.0.2.7 or 10.0.0.0/8.")]
    public AddressRange[] SrcAddress { get; set; } = [];

    /// <summary>Destinations.</summary>
    [Parameter(HelpMessage = "The address that the originator sent to, before NAT: addresses or subnets.")]
    public AddressRange[] DstAddress { get; set; } = [];

    /// <summary>Source ports.</summary>
    [Parameter(HelpMessage = "The originator's port: ports or ranges, 53 or 8000-8999.")]
    public PortRange[] SrcPort { get; set; } = [];

    /// <summary>Destination ports.</summary>
    [Parameter(HelpMessage = "The port that the originator sent to: ports or ranges, 53 or 8000-8999.")]
    public PortRange[] DstPort { get; set; } = [];

    /// <summary>States.</summary>
    [Parameter(HelpMessage = "States of the newest connection.")]
    public FlowState[] State { get; set; } = [];

    /// <summary>Verdicts.</summary>
    [Parameter(HelpMessage = "What the firewall did with the flow's first packet. Unknown for flows that were not traced.")]
    public FlowVerdict[] Verdict { get; set; } = [];

    /// <summary>The query of the parameters.</summary>
    /// <param name="since">Only flows that were seen at this time or later.</param>
    /// <param name="processNames">Names of processes.</param>
    /// <param name="processIds">Ids of processes.</param>
    /// <param name="userNames">Users of processes.</param>
    protected FlowQuery BuildQuery(DateTimeOffset? since, string[]? processNames = null, int[]? processIds = null, string[]? userNames = null) => new()
    {
        Protocols = Protocol,
        SrcAddresses = SrcAddress,
        DstAddresses = DstAddress,
        SrcPorts = SrcPort,
        DstPorts = DstPort,
        States = State,
        Verdicts = Verdict,
        Since = since,
        ProcessNames = processNames ?? [],
        ProcessIds = processIds ?? [],
        UserNames = userNames ?? [],
    };
}
