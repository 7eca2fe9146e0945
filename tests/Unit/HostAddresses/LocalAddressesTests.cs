using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Xunit;
using static Conntracker.Tests.Unit.LocalAddressesExtensions;

namespace Conntracker.Tests.Unit;

public class LocalAddressesTests
{
    private static readonly LocalAddresses s_host = LocalAddresses.None
        .With(FlowFamily.IPv4, Bits("192.0.2.1"), Bits("192.0.2.255"))
        .With(FlowFamily.IPv4, Bits("198.51.100.1"), null)
        .With(FlowFamily.IPv6, Bits("2001:db8::1"), null);

    [Theory]
    [InlineData("to this host", "192.0.2.9", "192.0.2.1", "192.0.2.1", FlowDirection.In)]
    [InlineData("to this host, IPv6", "2001:db8::9", "2001:db8::1", "2001:db8::1", FlowDirection.In)]
    [InlineData("from this host", "192.0.2.1", "203.0.113.1", "203.0.113.1", FlowDirection.Out)]
    [InlineData("through this host", "192.0.2.9", "203.0.113.1", "203.0.113.1", FlowDirection.Forward)]
    [InlineData("through this host, IPv6", "2001:db8::9", "2001:db8:9::1", "2001:db8:9::1", FlowDirection.Forward)]
    [InlineData("between its own addresses", "192.0.2.1", "198.51.100.1", "198.51.100.1", FlowDirection.Local)]
    [InlineData("over loopback", "127.0.0.1", "127.0.0.53", "127.0.0.53", FlowDirection.Local)]
    [InlineData("over loopback, IPv6", "::1", "::1", "::1", FlowDirection.Local)]
    [InlineData("DNAT to elsewhere", "203.0.113.1", "192.0.2.1", "198.51.100.9", FlowDirection.Forward)]
    [InlineData("redirected to this host", "192.0.2.9", "203.0.113.1", "192.0.2.1", FlowDirection.In)]
    [InlineData("DNAT of its own to elsewhere", "192.0.2.1", "192.0.2.1", "203.0.113.1", FlowDirection.Out)]
    [InlineData("multicast from elsewhere", "192.0.2.9", "224.0.0.251", "224.0.0.251", FlowDirection.In)]
    [InlineData("multicast from elsewhere, IPv6", "fe80::9", "ff02::fb", "ff02::fb", FlowDirection.In)]
    [InlineData("multicast of its own", "192.0.2.1", "224.0.0.251", "224.0.0.251", FlowDirection.Out)]
    [InlineData("broadcast of the network", "192.0.2.9", "192.0.2.255", "192.0.2.255", FlowDirection.In)]
    [InlineData("broadcast to all", "0.0.0.0", "255.255.255.255", "255.255.255.255", FlowDirection.In)]
    [InlineData("an IPv6 address that ends like an own IPv4 one", "2001:db8::9", "::c000:201", "::c000:201", FlowDirection.Forward)]
    public void The_direction_is_told_from_who_sends_and_who_answers(string name, string src, string dst, string replySrc, FlowDirection expected)
    {
        FlowRecord record = Record(src, dst, replySrc);
        Assert.True(s_host.DirectionOf(in record) == expected, $"{name}: {s_host.DirectionOf(in record)}");
    }

    [Theory]
    [InlineData(FlowFolding.None, FlowDirection.In)]
    [InlineData(FlowFolding.ClientPort, FlowDirection.In)]
    [InlineData(FlowFolding.Client, FlowDirection.Unknown)]
    [InlineData(FlowFolding.Protocol, FlowDirection.Unknown)]
    public void A_flow_whose_client_was_folded_has_no_known_direction(FlowFolding folding, FlowDirection expected)
    {
        FlowRecord record = Record("192.0.2.9", "192.0.2.1", "192.0.2.1");
        record.Folding = folding;
        Assert.Equal(expected, s_host.DirectionOf(in record));
    }

    [Fact]
    public void Without_any_address_no_direction_is_claimed()
    {
        FlowRecord record = Record("192.0.2.9", "192.0.2.1", "192.0.2.1");
        Assert.Equal(FlowDirection.Unknown, LocalAddresses.None.DirectionOf(in record));
    }

    [Fact]
    public void A_snapshots_addresses_do_not_change_when_more_come()
    {
        FlowRecord record = Record("203.0.113.1", "203.0.113.2", "203.0.113.2");
        LocalAddresses more = s_host.With(FlowFamily.IPv4, Bits("203.0.113.2"), null);
        Assert.Equal((FlowDirection.Forward, FlowDirection.In), (s_host.DirectionOf(in record), more.DirectionOf(in record)));
    }

    [Theory]
    [InlineData("10.9.0.0/16", "10.9.0.0", "10.9.255.255", "10.8.255.255", "10.10.0.0")]
    [InlineData("0.0.0.0/1", "0.0.0.0", "127.255.255.255", "128.0.0.0", "255.255.255.255")]
    [InlineData("255.0.0.0/8", "255.0.0.0", "255.255.255.255", "254.255.255.255", "0.0.0.0")]
    [InlineData("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8")]
    [InlineData("2001:db8:9::/48", "2001:db8:9::", "2001:db8:9:ffff:ffff:ffff:ffff:ffff", "2001:db8:8:ffff:ffff:ffff:ffff:ffff", "2001:db8:a::")]
    [InlineData("2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:0:1::")]
    [InlineData("8000::/1", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::2")]
    public void A_subnet_of_the_hosts_own_ends_at_its_borders(string subnet, string first, string last, string before, string behind)
    {
        LocalAddresses host = LocalAddresses.None.WithOwn(subnet);
        Assert.Equal(
            (true, true, false, false), (IsOwn(host, first), IsOwn(host, last), IsOwn(host, before), IsOwn(host, behind)));
    }

    [Theory]
    [InlineData("0.0.0.0/0", "203.0.113.9", "2001:db8::9")]
    [InlineData("::/0", "2001:db8::9", "203.0.113.9")]
    public void Everything_of_one_family_is_nothing_of_the_other(string everything, string own, string other)
    {
        LocalAddresses host = LocalAddresses.None.WithOwn(everything);
        Assert.Equal((true, false), (IsOwn(host, own), IsOwn(host, other)));
    }

    [Fact]
    public void Subnets_that_overlap_touch_or_lie_in_each_other_are_all_own_and_what_lies_between_is_not()
    {
        LocalAddresses host = LocalAddresses.None
            .WithOwn("10.1.0.0/16", "10.0.0.0/16", "10.1.2.0/24", "10.3.0.0/16")
            .WithOwn("10.1.2.3", "10.0.0.0/17", "10.5.0.0/16", "9.0.0.1");
        foreach (string own in (string[])["9.0.0.1", "10.0.0.0", "10.0.255.255", "10.1.0.0", "10.1.2.3", "10.1.255.255", "10.3.0.0", "10.5.255.255"])
        {
            Assert.True(IsOwn(host, own), own);
        }

        foreach (string other in (string[])["9.0.0.0", "9.0.0.2", "9.255.255.255", "10.2.0.0", "10.2.255.255", "10.4.0.0", "10.6.0.0"])
        {
            Assert.False(IsOwn(host, other), other);
        }
    }

    [Fact]
    public void Any_subnets_in_any_order_hold_exactly_the_addresses_that_one_of_them_holds()
    {
        Random random = new(20261121);
        for (int round = 0; round < 200; round++)
        {
            List<AddressRange> ranges = [];
            LocalAddresses host = LocalAddresses.None;
            for (int steps = random.Next(1, 5); steps > 0; steps--)
            {
                AddressRange[] more = [.. Enumerable.Range(0, random.Next(1, 8))
                    .Select(_ => AddressRange.Parse($"10.0.{random.Next(4)}.{random.Next(256)}/{random.Next(23, 33)}"))];
                ranges.AddRange(more);
                host = host.With([.. more.Select(each => each.Block)], []);
            }

            for (uint low = 0; low < 1280; low += 1)
            {
                AddressBits address = new(0, 0x0a000000 + low);
                Assert.Equal(ranges.Exists(each => each.Contains(FlowFamily.IPv4, address)), host.IsOwn(FlowFamily.IPv4, address));
            }
        }
    }

    [Fact]
    public void A_broadcast_subnet_is_for_many_and_not_the_hosts_own()
    {
        LocalAddresses host = s_host.With([], [Block("10.99.255.0/24")]);
        FlowRecord toMany = Record("10.99.1.1", "10.99.255.7", "10.99.255.7");
        FlowRecord beside = Record("10.99.1.1", "10.99.254.7", "10.99.254.7");
        Assert.Equal((FlowDirection.In, FlowDirection.Forward), (host.DirectionOf(in toMany), host.DirectionOf(in beside)));
        Assert.False(IsOwn(host, "10.99.255.7"));
    }

    private static bool IsOwn(LocalAddresses host, string address) => host.IsOwn(FamilyOf(address), Bits(address));

    private static FlowRecord Record(string src, string dst, string replySrc)
    {
        FlowRecord record = default;
        record.Key.Family = FamilyOf(src);
        record.Key.Original.Src = Bits(src);
        record.Key.Original.Dst = Bits(dst);
        record.Reply.Src = Bits(replySrc);
        return record;
    }
}
