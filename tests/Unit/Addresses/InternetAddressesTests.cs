using System.Net;
using Conntracker.Core.Addresses;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What IANA's registries say, entry by entry: the first and the last address of a range, and what stands beside it.</summary>
public class InternetAddressesTests
{
    /// <summary>A range, whether it is routed, and whether the addresses just before and behind it are (null: there is none).</summary>
    public static TheoryData<string, bool, bool?, bool?> Ranges => new()
    {
        { "0.0.0.0/8", false, null, true },
        { "10.0.0.0/8", false, true, true },
        { "100.64.0.0/10", false, true, true },
        { "127.0.0.0/8", false, true, true },
        { "169.254.0.0/16", false, true, true },
        { "172.16.0.0/12", false, true, true },
        { "192.0.0.0/24", false, true, true },
        { "192.0.0.0/29", false, true, false },
        { "192.0.0.8/32", false, false, true },
        { "192.0.0.9/32", true, false, true },
        { "192.0.0.10/32", true, true, false },
        { "192.0.0.170/31", false, false, false },
        { "192.0.2.0/24", false, true, true },
        { "192.31.196.0/24", true, true, true },
        { "192.52.193.0/24", true, true, true },
        { "192.88.99.0/24", false, true, true },
        { "192.88.99.2/32", false, false, false },
        { "192.168.0.0/16", false, true, true },
        { "192.175.48.0/24", true, true, true },
        { "198.18.0.0/15", false, true, true },
        { "198.51.100.0/24", false, true, true },
        { "203.0.113.0/24", false, true, true },
        { "224.0.0.0/4", false, true, false },
        { "240.0.0.0/4", false, false, null },
        { "255.255.255.255/32", false, false, null },
        { "1.0.0.0/8", true, false, true },
        { "8.8.8.8/32", true, true, true },
        { "::/128", false, null, false },
        { "::1/128", false, false, false },
        { "::ffff:0:0/96", false, false, false },
        { "64:ff9b::/96", true, false, false },
        { "64:ff9b:1::/48", false, false, false },
        { "100::/64", false, false, false },
        { "100:0:0:1::/64", false, false, false },
        { "2000::/16", true, false, false },
        { "2001::/23", false, true, true },
        { "2001::/32", false, true, false },
        { "2001:1::1/128", true, false, true },
        { "2001:1::2/128", true, true, true },
        { "2001:1::3/128", true, true, false },
        { "2001:2::/48", false, false, false },
        { "2001:3::/32", true, false, false },
        { "2001:4:112::/48", true, false, false },
        { "2001:10::/28", false, false, true },
        { "2001:20::/28", true, false, true },
        { "2001:30::/28", true, true, false },
        { "2001:db8::/32", false, true, true },
        { "2002::/16", false, true, true },
        { "2620:4f:8000::/48", true, true, true },
        { "3fff::/20", false, true, true },
        { "5f00::/16", false, false, false },
        { "4000::/3", false, true, false },
        { "fc00::/7", false, false, false },
        { "fe80::/10", false, false, false },
        { "fec0::/10", false, false, false },
        { "ff00::/8", false, false, null },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_range_is_routed_or_not_from_its_first_address_to_its_last(string range, bool inside, bool? before, bool? behind)
    {
        IPNetwork network = IPNetwork.Parse(range);
        FlowFamily family = network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
        int hostBits = (family == FlowFamily.IPv4 ? 32 : 128) - network.PrefixLength;
        UInt128 first = AddressBits.From(network.BaseAddress).ToUInt128();
        UInt128 last = first + ((UInt128.One << hostBits) - 1);
        Assert.Equal(inside, IsRouted(family, first));

        Assert.Equal(inside, IsRouted(family, last));
        if (before is bool expected)
        {
            Assert.Equal(expected, IsRouted(family, first - 1));
        }

        if (behind is bool next)
        {
            Assert.Equal(next, IsRouted(family, last + 1));
        }
    }

    [Fact]
    public void Of_no_family_nothing_is_routed() => Assert.False(InternetAddresses.IsRouted(FlowFamily.None, AddressBits.From(IPAddress.Parse("8.8.8.8"))));

    [Fact]
    public void Asking_allocates_nothing()
    {
        AddressBits four = AddressBits.From(IPAddress.Parse("8.8.8.8"));
        AddressBits six = AddressBits.From(IPAddress.Parse("2a00::1"));
        bool all = InternetAddresses.IsRouted(FlowFamily.IPv4, four);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            all &= InternetAddresses.IsRouted(FlowFamily.IPv4, four) && InternetAddresses.IsRouted(FlowFamily.IPv6, six);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(all);
    }

    private static bool IsRouted(FlowFamily family, UInt128 number) =>
        InternetAddresses.IsRouted(family, new AddressBits((ulong)(number >> 64), (ulong)number));
}
