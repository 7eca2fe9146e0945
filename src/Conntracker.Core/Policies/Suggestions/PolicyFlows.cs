using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>The flows that a policy is made of: which of them it accepts, and what distinguishes them for rules.</summary>
internal sealed class PolicyFlows
{
    private readonly FirewallPolicyOptions _options;
    private readonly Dictionary<PolicyAccess, PolicySample> _samples = [];

    private PolicyFlows(FirewallPolicyOptions options)
    {
        _options = options;
        Own = new OwnAddresses(options.OwnAddresses);
    }

    /// <summary>What is accepted, with hosts of the user's networks replaced by these.</summary>
    public Dictionary<PolicyAccess, PolicyUsage> Accesses { get; } = [];

    /// <summary>A flow for each thing that was seen and is accepted.</summary>
    public IReadOnlyCollection<PolicySample> Samples => _samples.Values;

    /// <summary>The host's own addresses.</summary>
    public OwnAddresses Own { get; }

    /// <summary>The flows of DHCP, which <see cref="Accesses"/> does not have.</summary>
    public DhcpFlows Dhcp { get; } = new();

    /// <summary>What is not accepted.</summary>
    public List<FlowOmission> Omitted { get; } = [];

    /// <summary>What is accepted in sum, flows over the loopback interface included.</summary>
    public PolicyUsage Total { get; } = new();

    /// <summary>Reads flows.</summary>
    public static PolicyFlows Read(IEnumerable<Flow> flows, FirewallPolicyOptions options)
    {
        PolicyFlows read = new(options);
        List<(Flow Flow, FlowDirection Direction)> all = [];
        foreach (Flow flow in flows)
        {
            FlowDirection direction = read.Own.DirectionOf(flow);
            all.Add((flow, direction));
            read.Own.Learn(flow, direction);
            read.Dhcp.Learn(flow, direction);
        }

        read.Admit(all);
        return read;
    }

    /// <summary>Whether a folding has removed the source's address.</summary>
    public static bool HasAnySource(Flow flow, FlowDirection direction) =>
        flow.Folding is FlowFolding.Client || (flow.Folding == FlowFolding.Internet && direction == FlowDirection.In && IsUnspecified(flow.SrcAddress));

    /// <summary>Whether a folding has removed the destination's address.</summary>
    public static bool HasAnyDestination(Flow flow, FlowDirection direction) =>
        flow.Folding == FlowFolding.Internet && direction == FlowDirection.Out && IsUnspecified(flow.DstAddress);

    private static bool IsUnspecified(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private void Admit(List<(Flow Flow, FlowDirection Direction)> all)
    {
        List<(Flow Flow, PolicyAccess Access)> admitted = [];
        Dictionary<(FlowDirection, FlowProtocol, int), long> connections = [];
        foreach ((Flow flow, FlowDirection direction) in all)
        {
            if (flow.Verdict is not (FlowVerdict.Dropped or FlowVerdict.Rejected) && !_options.Exclude.Any(each => each.Matches(flow))
                && Dhcp.Add(flow, direction) is FlowDirection ofDhcp)
            {
                Total.Add(flow);
                AddSample(AccessOf(flow, ofDhcp), flow, ofDhcp);
            }
            else if (FlowAdmission.ReasonAgainst(flow, direction, _options) is FlowOmissionReason reason)
            {
                Omit(flow, reason);
            }
            else if (direction == FlowDirection.Local)
            {
                Total.Add(flow);
            }
            else
            {
                PolicyAccess access = AccessOf(flow, direction);
                (FlowDirection, FlowProtocol, int) service = (direction, flow.Protocol, access.Service);
                connections[service] = connections.GetValueOrDefault(service) + flow.Connections;
                admitted.Add((flow, access));
            }
        }

        foreach ((Flow flow, PolicyAccess access) in admitted)
        {
            if (connections[(access.Scope.Direction, access.Scope.Protocol, access.Service)] < _options.MinimumConnections)
            {
                Omit(flow, FlowOmissionReason.TooFewConnections);
            }
            else
            {
                Accept(flow, access);
            }
        }
    }

    private void Omit(Flow flow, FlowOmissionReason reason) => Omitted.Add(new FlowOmission { Flow = flow, Reason = reason });

    private void Accept(Flow flow, PolicyAccess access)
    {
        Total.Add(flow);
        PolicyAccess named = access with
        {
            Source = access.Scope.Direction == FlowDirection.Out ? new AddressBlock(flow.Family, default, 0) : NetworkOf(access.Source),
            Destination = access.Scope.Direction == FlowDirection.In ? access.Destination : NetworkOf(access.Destination),
        };
        if (!Accesses.TryGetValue(named, out PolicyUsage? usage))
        {
            Accesses[named] = usage = new PolicyUsage();
        }

        usage.Add(flow);
        if (AddSample(access, flow, access.Scope.Direction))
        {
            usage.Seen++;
        }
    }

    // The smallest of the user's networks that contains it.
    private AddressBlock NetworkOf(AddressBlock block)
    {
        AddressBlock smallest = block;
        foreach (AddressRange range in _options.Prefixes)
        {
            if (range.Block.Contains(block) && (smallest == block || smallest.Contains(range.Block)))
            {
                smallest = range.Block;
            }
        }

        return smallest;
    }

    // Of an outgoing flow the source is this host, whatever its address.
    private bool AddSample(PolicyAccess access, Flow flow, FlowDirection direction)
    {
        PolicyAccess key = direction == FlowDirection.Out ? access with { Source = new AddressBlock(flow.Family, default, 0) } : access;
        if (_samples.TryGetValue(key, out PolicySample? sample))
        {
            sample.Flow = sample.Flow.Confirmed ? sample.Flow : flow;
            return false;
        }

        _samples[key] = new PolicySample { Access = access, Flow = flow };
        return true;
    }

    private static PolicyAccess AccessOf(Flow flow, FlowDirection direction)
    {
        PolicyScope scope = new(direction, flow.Family, flow.Protocol, flow.InInterface, flow.OutInterface);
        int subnet = flow.Folding switch
        {
            FlowFolding.Subnet => flow.Family == FlowFamily.IPv4 ? 24 : 64,
            FlowFolding.WideSubnet => flow.Family == FlowFamily.IPv4 ? 16 : 48,
            _ => AddressBlock.BitsOf(flow.Family),
        };
        int whole = AddressBlock.BitsOf(flow.Family);
        int sourceLength = HasAnySource(flow, direction) ? 0 : direction is FlowDirection.In or FlowDirection.Forward ? subnet : whole;
        int destinationLength = HasAnyDestination(flow, direction) ? 0 : direction is FlowDirection.Out or FlowDirection.Forward ? subnet : whole;
        IPAddress destination = flow.ReplySrcAddress ?? flow.DstAddress;
        return new PolicyAccess(
            scope,
            new AddressBlock(flow.Family, AddressBits.From(flow.SrcAddress), sourceLength),
            new AddressBlock(flow.Family, AddressBits.From(destination), destinationLength),
            scope.IsIcmp ? flow.IcmpType ?? PolicyAccess.NoService
                : scope.HasPorts ? flow.ReplySrcPort ?? flow.DstPort ?? PolicyAccess.NoService
                : PolicyAccess.NoService);
    }
}
