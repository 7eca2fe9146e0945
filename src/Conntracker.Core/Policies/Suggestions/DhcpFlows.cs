namespace Conntracker.Core.Policies.Suggestions;

/// <summary>
/// The flows of DHCP. A client begins without an address, and asks everybody: connection tracking does not take the answer for one, so both directions
/// need rules. The rules name ports and no addresses: with an address they would fail in the next network.
/// </summary>
internal sealed class DhcpFlows
{
    private static readonly (FlowFamily Family, ushort Client, ushort Server)[] s_ports = [(FlowFamily.IPv4, 68, 67), (FlowFamily.IPv6, 546, 547)];

    private readonly Dictionary<(FlowFamily Family, bool IsServer), PolicyUsage> _usages = [];
    private readonly HashSet<FlowFamily> _served = [];

    /// <summary>Learns from a flow whether this host is a server: it is when it sends from the server's port to a client's.</summary>
    public void Learn(Flow flow, FlowDirection direction)
    {
        if (direction == FlowDirection.Out && PortsOf(flow) is (ushort client, ushort server) && flow.DstPort == client && flow.SrcPort == server)
        {
            _served.Add(flow.Family);
        }
    }

    /// <summary>
    /// Counts a flow if it is one of DHCP that begins or ends on this host, and returns its direction; otherwise null. What comes from 0.0.0.0 looks like
    /// an incoming flow. It is this host's own request unless this host is a server.
    /// </summary>
    public FlowDirection? Add(Flow flow, FlowDirection direction)
    {
        if (direction is not (FlowDirection.In or FlowDirection.Out) || flow.Protocol != FlowProtocol.Udp
            || PortsOf(flow) is not (ushort client, ushort server))
        {
            return null;
        }

        bool toServer = flow.DstPort == server && (flow.SrcPort is null || flow.SrcPort == client);
        bool toClient = flow.DstPort == client && (flow.SrcPort is null || flow.SrcPort == server);
        if (toServer && direction == FlowDirection.In && !_served.Contains(flow.Family))
        {
            if (!OwnAddresses.IsUnspecified(OwnAddresses.BlockOf(flow.SrcAddress)) || flow.Folding >= FlowFolding.Client)
            {
                return null;
            }

            direction = FlowDirection.Out;
        }

        if (!toServer && !toClient)
        {
            return null;
        }

        (FlowFamily, bool) key = (flow.Family, toServer == (direction == FlowDirection.In));
        if (!_usages.TryGetValue(key, out PolicyUsage? usage))
        {
            _usages[key] = usage = new PolicyUsage();
        }

        usage.Add(flow);
        usage.Seen++;
        return direction;
    }

    /// <summary>The rules.</summary>
    public IEnumerable<PolicyDraft> Drafts(OwnAddresses own)
    {
        foreach (((FlowFamily family, bool isServer), PolicyUsage usage) in _usages)
        {
            (_, ushort client, ushort server) = s_ports.First(each => each.Family == family);
            yield return Draft(family, FlowDirection.Out, isServer ? server : client, isServer ? client : server, usage, own);
            yield return Draft(family, FlowDirection.In, isServer ? client : server, isServer ? server : client, usage, own);
        }
    }

    private static PolicyDraft Draft(FlowFamily family, FlowDirection direction, ushort from, ushort to, PolicyUsage usage, OwnAddresses own) => new()
    {
        Scope = new PolicyScope(direction, family, FlowProtocol.Udp, null, null),
        Sources = NetworkSet.Any(family),
        Destinations = NetworkSet.Any(family),
        Services = [to],
        SourcePort = from,
        Usage = usage,
        OwnCount = own.Count(family),
    };

    private static (ushort Client, ushort Server)? PortsOf(Flow flow)
    {
        foreach ((FlowFamily family, ushort client, ushort server) in s_ports)
        {
            if (family == flow.Family && flow.Protocol == FlowProtocol.Udp)
            {
                return (client, server);
            }
        }

        return null;
    }
}
