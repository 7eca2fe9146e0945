using Conntracker.Core.Addresses;
using Conntracker.Core.HostAddresses;
using Xunit;
using static Conntracker.Tests.Unit.LocalAddressesExtensions;

namespace Conntracker.Tests.Unit;

public class LocalAddressesBuilderTests
{
    private const int Many = 10_000;
    private readonly LocalAddressesBuilder _builder = new();

    [Fact]
    public void Ten_thousand_addresses_that_come_at_once_are_put_in_order_once()
    {
        foreach (int each in Enumerable.Range(0, Many))
        {
            _builder.AddOwn(Address(each));
        }

        LocalAddresses made = _builder.Current;
        Assert.All(Enumerable.Range(0, Many), each => Assert.True(made.IsOwn(FlowFamily.IPv4, Address(each).First)));
        Assert.False(made.IsOwn(FlowFamily.IPv4, new AddressBits(0, Address(0).First.Low + 1)));
        Assert.Same(made, _builder.Current);
    }

    [Fact]
    public void What_the_kernel_repeats_costs_nothing_and_leaves_the_same_object()
    {
        _builder.AddOwn(Block("10.0.0.0/8"));
        _builder.AddBroadcast(Block("192.0.2.255"));
        LocalAddresses made = _builder.Current;
        foreach (int each in Enumerable.Range(0, Many))
        {
            _builder.AddOwn(Block("10.0.0.0/8"));
            _builder.AddOwn(Block($"10.1.{each >> 8}.{each & 255}"));
            _builder.AddBroadcast(Block("192.0.2.255"));
            Assert.Same(made, _builder.Current);
        }
    }

    [Fact]
    public void An_own_address_is_not_taken_for_known_because_it_is_a_broadcast_address_too()
    {
        _builder.AddBroadcast(Block("192.0.2.255"));
        Assert.False(_builder.Current.IsOwn(FlowFamily.IPv4, Bits("192.0.2.255")));
        _builder.AddOwn(Block("192.0.2.255"));
        Assert.True(_builder.Current.IsOwn(FlowFamily.IPv4, Bits("192.0.2.255")));
    }

    [Fact]
    public void A_broadcast_route_of_IPv6_makes_no_IPv4_address_one_for_many()
    {
        _builder.AddBroadcast(Block("::c000:201"));
        Assert.Same(LocalAddresses.None, _builder.Current);
    }

    [Fact]
    public async Task Whoever_asks_while_addresses_come_sees_all_that_were_there_before()
    {
        int added = 0;
        Task adding = Task.Run(() =>
        {
            for (int i = 0; i < Many; i++)
            {
                _builder.AddOwn(Address(i));
                Volatile.Write(ref added, i + 1);
            }
        });
        while (!adding.IsCompleted)
        {
            int known = Volatile.Read(ref added);
            LocalAddresses now = _builder.Current;
            Assert.True(known == 0 || now.IsOwn(FlowFamily.IPv4, Address(known - 1).First));
        }

        await adding;
        Assert.All(Enumerable.Range(0, Many), each => Assert.True(_builder.Current.IsOwn(FlowFamily.IPv4, Address(each).First)));
    }

    // Every second address, the higher ones first: nothing touches.
    private static AddressBlock Address(int number) => AddressBlock.Of(FlowFamily.IPv4, new AddressBits(0, (ulong)(0x0a000000 + (2 * (Many - number)))));
}
