namespace Conntracker;

/// <summary>What the kernel confirmed about a <see cref="FirewallPolicy"/>.</summary>
public sealed record FirewallPolicyProof
{
    /// <summary>How many different flows that were seen are accepted, with their answers. Flows that no rule distinguishes count once.</summary>
    public int Flows { get; init; }

    /// <summary>How many neighbours that were not seen are not accepted: the next ports, the next addresses, the other one of TCP and UDP.</summary>
    public int Neighbours { get; init; }

    /// <summary>How many further neighbours were not tested, because there were more than 100,000.</summary>
    public long NeighboursLeftOut { get; init; }

    /// <summary>Flows that were seen, and about which the kernel gave no verdict; <see cref="FlowTest.Reason"/> says why.</summary>
    public IReadOnlyList<FlowTest> Unproved { get; init; } = [];

    /// <summary>What of the host could not be built for the proof, one sentence each.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];
}
