using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>A host on which the flows of a policy take the ways that they took: the addresses that they show, one interface, a default route.</summary>
internal static class ProofHost
{
    private const string Interface = "eth0";
    private const int LoopbackType = 772;

    // Of the blocks for documentation.
    private static readonly IPAddress s_spare4 = new([198, 51, 100, 254]);
    private static readonly IPAddress s_spare6 = IPAddress.Parse("2001:db8:fffe::254");

    // Packets come in and leave by one interface, so nothing but rules may object to that.
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["net.ipv4.ip_forward"] = "1",
        ["net.ipv6.conf.all.forwarding"] = "1",
        ["net.ipv4.conf.all.rp_filter"] = "0",
        ["net.ipv4.conf.default.rp_filter"] = "0",
        ["net.ipv4.conf.all.send_redirects"] = "0",
        ["net.ipv4.conf.default.send_redirects"] = "0",
    };

    /// <summary>The host for flows.</summary>
    public static FirewallHost For(IReadOnlyList<ProofFlow> flows, OwnAddresses own)
    {
        string[] names = [.. flows.SelectMany(each => new[] { each.Access.Scope.InInterface, each.Access.Scope.OutInterface }).OfType<string>()
            .Where(each => each is not Interface and not "lo").Distinct().Order(StringComparer.Ordinal)];
        List<FirewallInterface> interfaces =
        [
            new() { Name = "lo", Index = 1, Kind = "loopback", LinkType = LoopbackType, Mtu = 65536, Addresses = ["127.0.0.1/8", "::1/128"] },
            new() { Name = Interface, Index = 2, LinkAddress = "02:00:00:00:00:02", Addresses = Addresses(flows, own), MulticastGroups = Groups(flows) },
        ];
        interfaces.AddRange(names.Select((name, i) => new FirewallInterface
        {
            Name = name,
            Index = i + 3,
            LinkAddress = $"02:00:00:00:01:{i & 0xFF:x2}",
            MulticastGroups = Groups(flows),
        }));
        return new FirewallHost
        {
            Name = "proof",
            Interfaces = interfaces,
            Routes =
            [
                new FirewallRoute { Destination = "0.0.0.0/0", Interface = Interface, Scope = 253 },
                new FirewallRoute { Destination = "::/0", Interface = Interface },
            ],
            Settings = s_settings,
        };
    }

    /// <summary>An address that the host has besides those that flows show: it sends what was sent without an address.</summary>
    public static AddressBlock Spare(FlowFamily family) => OwnAddresses.BlockOf(family == FlowFamily.IPv4 ? s_spare4 : s_spare6);

    // A directed broadcast is one only on a host whose prefix makes it one.
    private static List<string> Addresses(IReadOnlyList<ProofFlow> flows, OwnAddresses own)
    {
        Dictionary<AddressBlock, int> prefixes = own.All.ToDictionary(each => each, each => IsLinkLocal(each) ? 64 : each.Prefix);
        foreach (ProofFlow flow in flows.Where(each => each.Access.Scope.Direction == FlowDirection.In))
        {
            AddressBlock destination = flow.Access.Destination;
            if (prefixes.ContainsKey(destination) || OwnAddresses.IsForMany(destination) || own.Contains(destination))
            {
                continue;
            }

            (AddressBlock holder, int prefix) = destination.Family == FlowFamily.IPv4 ? HolderOf(destination, prefixes.Keys) : default;
            if (prefix > 0)
            {
                prefixes[holder] = prefix;
            }
            else
            {
                prefixes[destination] = destination.Prefix;
            }
        }

        foreach (AddressBlock spare in (AddressBlock[])[Spare(FlowFamily.IPv4), Spare(FlowFamily.IPv6)])
        {
            prefixes.TryAdd(spare, spare.Prefix);
        }

        return [.. prefixes.Select(each => $"{each.Key.First.ToIPAddress(each.Key.Family)}/{each.Value}")];
    }

    private static bool IsLinkLocal(AddressBlock block) => block.Family == FlowFamily.IPv6 && block.First.High >> 54 == 0xfe80 >> 6;

    private static (AddressBlock Holder, int Prefix) HolderOf(AddressBlock broadcast, IEnumerable<AddressBlock> own)
    {
        for (int prefix = 30; prefix >= 8; prefix--)
        {
            foreach (AddressBlock address in own.Where(each => each.Family == FlowFamily.IPv4 && each != broadcast))
            {
                if (new AddressBlock(FlowFamily.IPv4, address.First, prefix).Last == broadcast.First)
                {
                    return (address, prefix);
                }
            }
        }

        return default;
    }

    private static List<string> Groups(IReadOnlyList<ProofFlow> flows) =>
    [
        .. flows.Select(each => each.Access).Where(each => each.Scope.Direction == FlowDirection.In && OwnAddresses.IsForMany(each.Destination))
            .Where(each => each.Destination.Family == FlowFamily.IPv6 || (uint)each.Destination.First.Low != uint.MaxValue)
            .Select(each => each.Destination.First.ToIPAddress(each.Destination.Family).ToString()).Distinct(),
    ];
}
