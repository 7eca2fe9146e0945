using System.Net;

namespace Conntracker.Core.Addresses;

/// <summary>
/// The addresses that the internet routes: those that IANA's special-purpose address registries (RFC 6890 and its updates) call globally reachable
/// or do not list, except multicast. What a registry leaves open ("N/A": Teredo, 6to4, deprecated ranges) is not routed like other addresses and
/// counts as not on the internet: the address itself is shown, rather than hidden behind a word.
/// </summary>
internal static class InternetAddresses
{
    private const bool Routed = true;
    private const bool Special = false;

    private static readonly (string Range, bool IsRouted)[] s_ipv4 =
    [
        ("0.0.0.0/0", Routed),
        ("0.0.0.0/8", Special), // this network, RFC 791
        ("10.0.0.0/8", Special), // private use, RFC 1918
        ("100.64.0.0/10", Special), // shared address space of carriers' NAT, RFC 6598
        ("127.0.0.0/8", Special), // loopback, RFC 1122
        ("169.254.0.0/16", Special), // link-local, RFC 3927
        ("172.16.0.0/12", Special), // private use, RFC 1918
        ("192.0.0.0/24", Special), // IETF protocol assignments, RFC 6890
        ("192.0.0.9/32", Routed), // Port Control Protocol anycast, RFC 7723
        ("192.0.0.10/32", Routed), // TURN anycast, RFC 8155
        ("192.0.2.0/24", Special), // documentation, RFC 5737
        ("192.31.196.0/24", Routed), // AS112, RFC 7535
        ("192.52.193.0/24", Routed), // AMT, RFC 7450
        ("192.88.99.0/24", Special), // 6to4 relay anycast, deprecated by RFC 7526; 6a44 relay anycast, RFC 6751
        ("192.168.0.0/16", Special), // private use, RFC 1918
        ("192.175.48.0/24", Routed), // AS112, RFC 7534
        ("198.18.0.0/15", Special), // benchmarking, RFC 2544
        ("198.51.100.0/24", Special), // documentation, RFC 5737
        ("203.0.113.0/24", Special), // documentation, RFC 5737
        ("224.0.0.0/4", Special), // multicast, RFC 5771
        ("240.0.0.0/4", Special), // reserved, RFC 1112; limited broadcast, RFC 8190
    ];

    // Only 2000::/3 of IPv6 is allocated (RFC 4291); the rest is reserved, or listed here.
    private static readonly (string Range, bool IsRouted)[] s_ipv6 =
    [
        ("::/0", Special), // reserved, RFC 4291: with ::, ::1, ::ffff:0:0/96 (IPv4-mapped)
        ("64:ff9b::/96", Routed), // IPv4-IPv6 translation, RFC 6052
        ("64:ff9b:1::/48", Special), // local IPv4-IPv6 translation, RFC 8215
        ("100::/64", Special), // discard only, RFC 6666
        ("100:0:0:1::/64", Special), // dummy prefix, RFC 9780
        ("2000::/3", Routed), // global unicast, RFC 4291
        ("2001::/23", Special), // IETF protocol assignments, RFC 2928: with Teredo (RFC 4380), benchmarking (RFC 5180), ORCHID (RFC 4843)
        ("2001:1::1/128", Routed), // Port Control Protocol anycast, RFC 7723
        ("2001:1::2/128", Routed), // TURN anycast, RFC 8155
        ("2001:1::3/128", Routed), // DNS-SD service registration anycast, RFC 9665
        ("2001:3::/32", Routed), // AMT, RFC 7450
        ("2001:4:112::/48", Routed), // AS112, RFC 7535
        ("2001:20::/28", Routed), // ORCHIDv2, RFC 7343
        ("2001:30::/28", Routed), // drone remote id tags, RFC 9374
        ("2001:db8::/32", Special), // documentation, RFC 3849
        ("2002::/16", Special), // 6to4, RFC 3056
        ("2620:4f:8000::/48", Routed), // AS112, RFC 7534
        ("3fff::/20", Special), // documentation, RFC 9637
        ("5f00::/16", Special), // segment routing, RFC 9602
        ("fc00::/7", Special), // unique local, RFC 4193
        ("fe80::/10", Special), // link-local unicast, RFC 4291
        ("ff00::/8", Special), // multicast, RFC 4291
    ];

    // The addresses at which the answer changes, in order. Below the first one the answer is no.
    private static readonly UInt128[] s_changes4 = Changes(s_ipv4, FlowFamily.IPv4);
    private static readonly UInt128[] s_changes6 = Changes(s_ipv6, FlowFamily.IPv6);

    /// <summary>Whether the internet routes packets to an address.</summary>
    /// <param name="family">The address's family; with <see cref="FlowFamily.None"/> no address is routed.</param>
    /// <param name="address">The address.</param>
    public static bool IsRouted(FlowFamily family, AddressBits address)
    {
        UInt128[] changes = family switch
        {
            FlowFamily.IPv4 => s_changes4,
            FlowFamily.IPv6 => s_changes6,
            _ => [],
        };
        UInt128 number = address.ToUInt128();
        int from = 0;
        for (int to = changes.Length; from < to;)
        {
            int middle = (from + to) / 2;
            (from, to) = changes[middle] <= number ? (middle + 1, to) : (from, middle);
        }

        return (from & 1) != 0;
    }

    private static UInt128[] Changes((string Range, bool IsRouted)[] ranges, FlowFamily family)
    {
        (UInt128 First, UInt128 Last, int Prefix, bool IsRouted)[] entries = [.. ranges.Select(each =>
        {
            IPNetwork network = IPNetwork.Parse(each.Range);
            AddressBlock block = new(family, AddressBits.From(network.BaseAddress), network.PrefixLength);
            return (block.First.ToUInt128(), block.Last.ToUInt128(), network.PrefixLength, each.IsRouted);
        })];

        // The answer can change only where a range begins or just after its end. The longest matching prefix decides there.
        IEnumerable<UInt128> borders = entries.Select(each => each.First).Concat(entries.Where(each => each.Prefix > 0).Select(each => each.Last + 1));
        UInt128 highest = entries[0].Last;
        List<UInt128> changes = [];
        foreach (UInt128 border in borders.Where(each => each <= highest && each >= entries[0].First).Distinct().Order())
        {
            bool isRouted = entries.Where(each => each.First <= border && border <= each.Last).MaxBy(each => each.Prefix).IsRouted;
            if (isRouted != ((changes.Count & 1) != 0))
            {
                changes.Add(border);
            }
        }

        return [.. changes];
    }
}
