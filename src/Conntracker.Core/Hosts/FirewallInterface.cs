namespace Conntracker;

/// <summary>A network interface of a <see cref="FirewallHost"/>.</summary>
public sealed record FirewallInterface
{
    /// <summary>The name (IFLA_IFNAME), at most 15 bytes.</summary>
    public required string Name { get; init; }

    /// <summary>The number (ifi_index), above 0; rules may name it.</summary>
    public required int Index { get; init; }

    /// <summary>
    /// The kind (IFLA_INFO_KIND): <c>bridge</c>, <c>veth</c>, <c>vlan</c>, <c>wireguard</c>, <c>tun</c>, …; <c>loopback</c>; null for a device without
    /// one, such as a network card.
    /// </summary>
    public string? Kind { get; init; }

    /// <summary>The link type (ifi_type, ARPHRD_*): 1 is Ethernet, 772 loopback, 65534 none (WireGuard, tun), 512 PPP.</summary>
    public ushort LinkType { get; init; } = 1;

    /// <summary>The group (IFLA_GROUP); 0 is the default group.</summary>
    public uint Group { get; init; }

    /// <summary>The MTU in bytes (IFLA_MTU).</summary>
    public uint Mtu { get; init; } = 1500;

    /// <summary>Whether the interface is up (IFF_UP).</summary>
    public bool IsUp { get; init; } = true;

    /// <summary>The link-layer address (IFLA_ADDRESS) in hexadecimal with colons; null when it has none.</summary>
    public string? LinkAddress { get; init; }

    /// <summary>The name of the bridge, bond or VRF that the interface belongs to (IFLA_MASTER); null when it belongs to none.</summary>
    public string? Master { get; init; }

    /// <summary>The alternative names (IFLA_ALT_IFNAME).</summary>
    public IReadOnlyList<string> AlternativeNames { get; init; } = [];

    /// <summary>The addresses with their prefix lengths (IFA_LOCAL): <c>192.0.2.1/24</c>, <c>fe80::1/64</c>.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>The other ends of point-to-point addresses (IFA_ADDRESS): an address with prefix length, for the address with the same position in
    /// <see cref="Addresses"/>; empty text where there is none. Empty when no address has one.</summary>
    public IReadOnlyList<string> PeerAddresses { get; init; } = [];

    /// <summary>The multicast groups that the host has joined on the interface, besides those that each host joins.</summary>
    public IReadOnlyList<string> MulticastGroups { get; init; } = [];

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
