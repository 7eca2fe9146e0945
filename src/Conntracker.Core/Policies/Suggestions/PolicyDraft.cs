namespace Conntracker.Core.Policies.Suggestions;

/// <summary>A rule while it is made.</summary>
internal sealed class PolicyDraft
{
    /// <summary>Chain, family, protocol and interfaces.</summary>
    public required PolicyScope Scope { get; init; }

    /// <summary>The sources.</summary>
    public required NetworkSet Sources { get; set; }

    /// <summary>The destinations.</summary>
    public required NetworkSet Destinations { get; set; }

    /// <summary>The destination ports or ICMP types, ascending; one <see cref="PolicyAccess.NoService"/> for protocols without.</summary>
    public required IReadOnlyList<int> Services { get; set; }

    /// <summary>What was seen.</summary>
    public required PolicyUsage Usage { get; init; }

    /// <summary>The source port, for DHCP.</summary>
    public ushort? SourcePort { get; init; }

    /// <summary>True when the destinations are the host's own and need not be written: routing brings no others to the chain input.</summary>
    public bool IsForOwn { get; set; }

    /// <summary>How many of the host's addresses an incoming rule without destinations accepts.</summary>
    public int OwnCount { get; set; }

    /// <summary>What joining of hosts has added, in addresses × ports.</summary>
    public double Joined { get; set; }

    /// <summary>How many combinations of source, destination and service the rule accepts.</summary>
    public double Area => SourceCount * DestinationCount * Services.Count;

    /// <summary>How many of them were not seen.</summary>
    public double Widening => WideningOfBoth ?? Math.Max(0, Area - Usage.Seen);

    /// <summary>The widening of the rules of two families that this one replaces; null for a rule of one family.</summary>
    public double? WideningOfBoth { get; init; }

    /// <summary>How many sources it accepts. This host counts once.</summary>
    public double SourceCount => Scope.Direction == FlowDirection.Out ? 1 : Sources.Size;

    /// <summary>How many destinations it accepts.</summary>
    public double DestinationCount => IsForOwn ? Math.Max(1, OwnCount)
        : SourcePort is not null && Scope.Direction == FlowDirection.In ? OwnCount + 1
        : Destinations.Size;

    /// <summary>The public rule.</summary>
    public FirewallPolicyRule ToRule() => new()
    {
        Direction = Scope.Direction,
        Family = Scope.Family,
        Protocol = Scope.Protocol,
        InInterface = Scope.InInterface,
        OutInterface = Scope.OutInterface,
        Sources = Scope.Direction == FlowDirection.Out || Sources.IsAny ? [] : [.. Sources.Blocks.Select(each => new AddressRange(each))],
        Destinations = IsForOwn || Destinations.IsAny ? [] : [.. Destinations.Blocks.Select(each => new AddressRange(each))],
        SourcePort = SourcePort,
        Ports = Scope.HasPorts ? ToRanges(Services) : [],
        IcmpTypes = Scope.IsIcmp ? [.. Services.Select(each => (byte)each)] : [],
        Widening = Widening,
        Flows = Usage.Flows,
        Connections = Usage.Connections,
        FirstSeen = Usage.FirstSeen,
        LastSeen = Usage.LastSeen,
        Processes = Usage.Processes,
    };

    private static List<PortRange> ToRanges(IReadOnlyList<int> ports)
    {
        List<PortRange> ranges = [];
        for (int i = 0; i < ports.Count;)
        {
            int end = i + 1;
            while (end < ports.Count && ports[end] == ports[end - 1] + 1)
            {
                end++;
            }

            // Two neighbours stay two ports: 80, 81 reads better than 80-81.
            if (end - i == 2)
            {
                end--;
            }

            ranges.Add(new PortRange(ports[i], ports[end - 1]));
            i = end;
        }

        return ranges;
    }
}
