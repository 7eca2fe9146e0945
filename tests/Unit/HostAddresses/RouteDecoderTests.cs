using System.Buffers.Binary;
using Conntracker.Core.Addresses;
using Conntracker.Core.Captures;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Xunit;
using static Conntracker.Core.Native.RouteConstants;
using static Conntracker.Tests.Unit.LocalAddressesExtensions;

namespace Conntracker.Tests.Unit;

/// <summary>Routes that a real kernel sent (make-addresses.sh has the commands that made them), whole and damaged.</summary>
public class RouteDecoderTests
{
    private const int NetlinkHeader = 16;
    private const int RouteHeader = 12;
    private static readonly string s_path = Path.Combine(Path.GetDirectoryName(Fixture.Traffic)!, "addresses.ctrec");
    private static readonly List<Frame> s_messages = Fixture.Messages(s_path).FindAll(each => each.Kind == MessageKind.Addresses);
    private static readonly List<Frame> s_routes = s_messages.FindAll(each => TypeOf(each.Data) == RTM_NEWROUTE);

    [Theory]
    [InlineData("an interface's address", "192.0.2.1", true)]
    [InlineData("an interface's address, IPv6", "2001:db8:1::1", true)]
    [InlineData("this end of a point-to-point link", "198.51.100.1", true)]
    [InlineData("its other end", "198.51.100.2", false)]
    [InlineData("a neighbour", "192.0.2.2", false)]
    [InlineData("the network of a route through another host", "203.0.113.1", false)]
    [InlineData("a local subnet (AnyIP)", "10.9.255.255", true)]
    [InlineData("behind a local subnet", "10.8.255.255", false)]
    [InlineData("a local subnet of another table", "10.11.3.4", true)]
    [InlineData("behind a local subnet of another table", "10.12.0.0", false)]
    [InlineData("an anycast address", "10.98.0.1", true)]
    [InlineData("a broadcast subnet", "10.99.255.1", false)]
    [InlineData("a local subnet, IPv6", "2001:db8:9:ffff::1", true)]
    [InlineData("a local subnet of another table, IPv6", "2001:db8:a:7fff::1", true)]
    [InlineData("behind a local subnet of another table, IPv6", "2001:db8:a:8000::1", false)]
    [InlineData("a router's anycast address of its subnet, IPv6", "2001:db8:1::", true)]
    [InlineData("the network of a route through another host, IPv6", "2001:db8:2::1", false)]
    [InlineData("an address that came later", "192.0.2.7", true)]
    [InlineData("a local subnet that came later", "10.20.30.40", true)]
    [InlineData("a local subnet that came later, IPv6", "2001:db8:b::7", true)]
    [InlineData("any other, though a transparent proxy's table has a local route for all", "8.8.8.8", false)]
    [InlineData("any other, IPv6", "2600::1", false)]
    public void A_hosts_own_addresses_are_those_that_its_kernel_delivers_to_it(string name, string address, bool isOwn)
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        foreach (Frame frame in s_messages)
        {
            collector.Handle(frame.Kind, frame.Time, frame.Data);
        }

        Assert.True(collector.Addresses.IsOwn(FamilyOf(address), Bits(address)) == isOwn, name);
        Assert.Equal(0, collector.Counters.Malformed);
    }

    [Fact]
    public void A_recording_has_the_routes_to_the_host_and_no_other()
    {
        Assert.True(s_routes.Count > 20);
        Assert.DoesNotContain(s_routes, each => TypeOfRoute(each.Data) == 1);
        Assert.Contains(s_routes, each => (FlagsOf(each.Data) & NetlinkConstants.NLM_F_MULTI) != 0);
        Assert.Contains(s_routes, each => (FlagsOf(each.Data) & NetlinkConstants.NLM_F_MULTI) == 0);
    }

    [Fact]
    public void The_broadcast_addresses_of_its_networks_are_for_many()
    {
        using CollectorProbe probe = new();
        foreach (Frame frame in s_messages)
        {
            probe.Take(frame.Kind, frame.Data);
        }

        probe.Event(new Conn { Src = "10.99.1.1", Dst = "10.99.255.9", DstPort = 9 }.New());
        Assert.Equal(FlowDirection.In, probe.Flow().Direction);
    }

    [Theory]
    [InlineData("of a unicast type", 23, 1)]
    [InlineData("of a type that is not known", 23, 99)]
    [InlineData("of the family MPLS", 16, 28)]
    [InlineData("for all addresses", 17, 0)]
    [InlineData("that is a clone", 25, 2)]
    public void A_route_that_says_nothing_of_the_host_is_ignored(string name, int offset, byte value)
    {
        byte[] route = [.. s_routes.First(each => TypeOfRoute(each.Data) == RTN_LOCAL && each.Data[NetlinkHeader + 1] == 32).Data];
        route[offset] = value;
        Assert.True(Decode(route) == DecodeResult.Ignored, name);
    }

    [Theory]
    [InlineData(NftablesConstants.NFPROTO_IPV4, 32)]
    [InlineData(NftablesConstants.NFPROTO_IPV6, 128)]
    public void A_prefix_longer_than_an_address_is_malformed(byte family, byte longest)
    {
        byte[] route = [.. s_routes.First(each => TypeOfRoute(each.Data) == RTN_LOCAL
            && each.Data[NetlinkHeader] == family && each.Data[NetlinkHeader + 1] == longest).Data];
        Assert.Equal(DecodeResult.Decoded, Decode(route));
        route[NetlinkHeader + 1]++;
        Assert.Equal(DecodeResult.Malformed, Decode(route));
    }

    [Fact]
    public void An_attribute_that_no_kernel_of_today_sends_is_skipped()
    {
        foreach (Frame route in s_routes)
        {
            byte[] longer = [.. route.Data, 8, 0, 0xff, 0x1f, 1, 2, 3, 4];
            BinaryPrimitives.WriteInt32LittleEndian(longer, longer.Length);
            Assert.Equal(Decode(route.Data), Decode(longer));
        }
    }

    [Fact]
    public void A_route_cut_off_anywhere_is_malformed_unless_it_still_has_its_addresses()
    {
        foreach (byte[] whole in s_routes.Select(each => each.Data).Where(each => Decode(each) == DecodeResult.Decoded))
        {
            Decode(whole, out AddressBlock expected);
            for (int length = NetlinkHeader; length < whole.Length; length++)
            {
                byte[] cut = whole[..length];
                BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                DecodeResult result = Decode(cut, out AddressBlock block);
                Assert.True(result == DecodeResult.Malformed || (block == expected && length > NetlinkHeader + RouteHeader), $"Cut after {length} bytes.");
            }
        }
    }

    [Fact]
    public void Bits_flipped_anywhere_never_throw()
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        Random random = new(20261121);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] data = [.. s_messages[random.Next(s_messages.Count)].Data];
            for (int flips = random.Next(1, 5); flips > 0; flips--)
            {
                data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
            }

            collector.Handle(MessageKind.Addresses, i, data);
        }

        Assert.InRange(collector.Counters.Malformed, 1000, 100_000);
        Assert.True(collector.Addresses.IsOwn(FlowFamily.IPv4, Bits("192.0.2.1")));
    }

    private static DecodeResult Decode(byte[] datagram) => Decode(datagram, out _);

    private static DecodeResult Decode(byte[] datagram, out AddressBlock block)
    {
        NetlinkMessageReader reader = new(datagram);
        Assert.True(reader.TryRead(out NetlinkMessage message));
        return RouteDecoder.Decode(in message, out block, out _);
    }

    private static int TypeOf(byte[] message) => BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(4));

    private static int FlagsOf(byte[] message) => BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(6));

    private static byte TypeOfRoute(byte[] message) => message[NetlinkHeader + 7];
}
