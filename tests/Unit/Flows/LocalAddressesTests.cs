using System.Net;
using Conntracker.Core.Flows;
using Xunit;

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
        Assert.Same(more, more.With(FlowFamily.IPv4, Bits("203.0.113.2"), null));
        Assert.NotSame(more, more.With(FlowFamily.IPv4, Bits("203.0.113.2"), Bits("203.0.113.255")));
    }

    private static AddressBits Bits(string text) => AddressBits.From(IPAddress.Parse(text));

    private static FlowRecord Record(string src, string dst, string replySrc)
    {
        FlowRecord record = default;
        record.Key.Family = IPAddress.Parse(src).GetAddressBytes().Length == 4 ? FlowFamily.IPv4 : FlowFamily.IPv6;
        record.Key.Original.Src = Bits(src);
        record.Key.Original.Dst = Bits(dst);
        record.Reply.Src = Bits(replySrc);
        return record;
    }
}
