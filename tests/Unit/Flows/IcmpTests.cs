using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What ICMP types mean: a query and its reply are one flow, an error belongs to another one.</summary>
public sealed class IcmpTests
{
    [Theory]
    [InlineData(FlowProtocol.Icmp, "8-0 13-14 15-16 17-18")]
    [InlineData(FlowProtocol.IcmpV6, "128-129 139-140")]
    [InlineData(FlowProtocol.Tcp, "")]
    public void Queries_and_replies_are_pairs_and_every_other_type_is_its_own(FlowProtocol protocol, string pairs)
    {
        Dictionary<byte, byte> replies = pairs.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('-'))
            .ToDictionary(pair => byte.Parse(pair[0]), pair => byte.Parse(pair[1]));
        for (int i = 0; i <= byte.MaxValue; i++)
        {
            byte type = (byte)i;
            bool isReply = replies.ContainsValue(type);
            byte counterpart = replies.TryGetValue(type, out byte reply) ? reply : isReply ? replies.First(each => each.Value == type).Key : type;
            Assert.Equal((replies.ContainsKey(type), isReply, counterpart),
                (Icmp.IsQuery(protocol, type), Icmp.IsReply(protocol, type), Icmp.Counterpart(protocol, type)));
            Assert.False(Icmp.HasId(protocol, type) && Icmp.IsError(protocol, type), $"{protocol} {type}");
        }
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "224.0.0.0", true)]
    [InlineData(FlowFamily.IPv4, "239.255.255.255", true)]
    [InlineData(FlowFamily.IPv4, "255.255.255.255", true)]
    [InlineData(FlowFamily.IPv4, "255.255.255.254", false)]
    [InlineData(FlowFamily.IPv4, "223.255.255.255", false)]
    [InlineData(FlowFamily.IPv6, "ff02::1", true)]
    [InlineData(FlowFamily.IPv6, "fe80::1", false)]
    public void Multicast_and_broadcast_addresses_are_recognized(FlowFamily family, string address, bool expected) =>
        Assert.Equal(expected, AddressBits.From(System.Net.IPAddress.Parse(address)).IsMulticastOrBroadcast(family));
}
