using System.Management.Automation;
using System.Net;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Makes flows that nobody has seen, to test a ruleset with.</para>
/// </summary>
[Cmdlet(VerbsCommon.New, "ConntrackFlow")]
[OutputType(typeof(Flow))]
public sealed class NewConntrackFlowCommand : ConntrackCmdlet
{
    /// <summary>Protocols.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, HelpMessage = "Protocols, by name or number.")]
    [Protocol]
    public FlowProtocol[] Protocol { get; set; } = [];

    /// <summary>Originators.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, HelpMessage = "The addresses that send the first packet, before NAT.")]
    [Address]
    public IPAddress[] SrcAddress { get; set; } = [];

    /// <summary>Destinations.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, HelpMessage = "The addresses that the first packet is sent to, before NAT.")]
    [Address]
    public IPAddress[] DstAddress { get; set; } = [];

    /// <summary>Destination ports.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The ports that the first packet is sent to: ports or ranges, 53 or 8000-8999.")]
    public PortRange[]? DstPort { get; set; }

    /// <summary>Source ports.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The ports that send the first packet: ports or ranges. The default is 45000.")]
    public PortRange[]? SrcPort { get; set; }

    /// <summary>The ICMP type.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The ICMP type. The default is an echo request.")]
    public byte? IcmpType { get; set; }

    /// <summary>The ICMP code.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The ICMP code. The default is 0.")]
    public byte? IcmpCode { get; set; }

    /// <summary>The interface that the first packet comes in by.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The interface that the first packet comes in by. By default, the routes decide.")]
    [ArgumentCompleter(typeof(InterfaceNameCompleter))]
    public string? InInterface { get; set; }

    /// <summary>The interface that the first packet leaves by.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The interface that the first packet leaves by. By default, the routes decide.")]
    [ArgumentCompleter(typeof(InterfaceNameCompleter))]
    public string? OutInterface { get; set; }

    /// <summary>The packet's mark. Not taken from the pipeline: a flow's property Mark is another one, the connection's.</summary>
    [Parameter(HelpMessage = "The mark that the first packet has from its start. The default is 0.")]
    public uint? Mark { get; set; }

    /// <summary>The user.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, HelpMessage = "The number of the user whose process sends the first packet. The default is 0 (root).")]
    public uint? UserId { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        FlowDescription description = new()
        {
            Protocols = Protocol,
            SrcAddresses = SrcAddress,
            DstAddresses = DstAddress,
            DstPorts = DstPort ?? [],
            SrcPorts = SrcPort ?? [],
            IcmpType = IcmpType,
            IcmpCode = IcmpCode,
            InInterface = Given(InInterface),
            OutInterface = Given(OutInterface),
            PacketMark = Mark,
            UserId = UserId,
        };
        try
        {
            foreach (Flow flow in description.ToFlows().TakeWhile(_ => !StopToken.IsCancellationRequested))
            {
                WriteObject(flow);
            }
        }
        catch (ArgumentException error)
        {
            WriteError(ErrorCatalog.FlowDescriptionInvalid(error, description));
        }
    }

    // PowerShell makes an empty string of null, also of the empty cells of a CSV file.
    private static string? Given(string? name) => string.IsNullOrEmpty(name) ? null : name;
}
