using System.Net;

namespace Conntracker;

/// <summary>How a <see cref="FirewallPolicy"/> is made of flows.</summary>
public sealed record FirewallPolicyOptions
{
    /// <summary>The default of <see cref="MaximumWidening"/>: as many addresses as a /24 has.</summary>
    public const double DefaultMaximumWidening = 256;

    /// <summary>The format of the text.</summary>
    public FirewallPolicyFormat Format { get; init; } = FirewallPolicyFormat.Nftables;

    /// <summary>What happens to packets that no rule accepts.</summary>
    public FirewallPolicyDefault DefaultVerdict { get; init; } = FirewallPolicyDefault.Drop;

    /// <summary>
    /// Networks that are one to the user: a rule names the network instead of the hosts seen in it. Of several that contain a host the smallest one
    /// counts. <c>0.0.0.0/0</c> and <c>::/0</c> are anybody. This widening is not limited by <see cref="MaximumWidening"/>.
    /// </summary>
    public IReadOnlyList<AddressRange> Prefixes { get; init; } = [];

    /// <summary>A service that has fewer connections, over all hosts, is not accepted. At least 1.</summary>
    public long MinimumConnections { get; init; } = 1;

    /// <summary>
    /// How many pairs of address and port each rule may accept that were not seen, where hosts are joined into prefixes. 0 accepts exactly what was seen.
    /// </summary>
    public double MaximumWidening { get; init; } = DefaultMaximumWidening;

    /// <summary>Flows that are not accepted although they were seen.</summary>
    public IReadOnlyList<FlowExclusion> Exclude { get; init; } = [];

    /// <summary>
    /// The host's own addresses, besides those that the flows show. They decide the direction of a flow that has none, such as one from a text log, and
    /// whether a rule for incoming connections must name the address that it is for.
    /// </summary>
    public IReadOnlyList<IPAddress> OwnAddresses { get; init; } = [];
}
