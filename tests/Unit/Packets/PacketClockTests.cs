using Conntracker.Core.Feeds;
using Conntracker.Core.Packets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Idle flows of packets are closed in time, and busy ones stay open, though the host is suspended or its clock is set.</summary>
public sealed class PacketClockTests : IDisposable
{
    private const int ExpireEvery = 10;

    private readonly SettableTime _host = new();
    private readonly CaptureClock _clock;
    private readonly PacketClock _packetClock = new();
    private readonly PacketProbe _probe = new();

    public PacketClockTests() => _clock = new CaptureClock(_host);

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData("nobody sets the clock", 0)]
    [InlineData("the clock is set back by an hour", -3600)]
    [InlineData("the clock is set back by less than the timeout", -20)]
    public void A_flow_that_goes_on_stays_one_connection_though(string name, int seconds)
    {
        Send(40001);
        _host.Shift(TimeSpan.FromSeconds(seconds));
        for (int i = 0; i < 10; i++)
        {
            Pass(TimeSpan.FromSeconds(ExpireEvery));
            Send(40001);
        }

        Flow flow = _probe.Flow();
        Assert.True((flow.Connections, flow.State) == (1, FlowState.New), name);
        Assert.True(flow.FirstSeen <= flow.LastSeen && flow.LastSeen <= _host.HostTime, name);
    }

    [Theory]
    [InlineData("the clock is set back by an hour", -3600)]
    [InlineData("the clock is set forward by an hour", 3600)]
    [InlineData("the host is suspended for an hour", 3600)]
    public void A_flow_that_is_idle_is_closed_though(string name, int seconds)
    {
        Send(40001);
        _host.Shift(TimeSpan.FromSeconds(seconds));
        Send(40002);
        Pass(TimeSpan.FromSeconds(ExpireEvery));
        for (int i = 0; i < 20; i++)
        {
            Pass(TimeSpan.FromSeconds(ExpireEvery));
        }

        Assert.All(_probe.Flows(), each => Assert.True(each.State == FlowState.Closed, name));
    }

    [Fact]
    public void Packets_of_several_processors_that_come_out_of_order_do_not_set_the_time_back()
    {
        long start = _clock.Now;
        _packetClock.Note(1_000_000_000, start);
        _packetClock.Note(1_000_000_000 - 5000, start);
        Assert.Equal(1_000_000_000, _packetClock.At(start));
        _packetClock.Note(1_000_000_000 - TimeSpan.FromSeconds(2).Ticks, start);
        Assert.Equal(1_000_000_000 - TimeSpan.FromSeconds(2).Ticks, _packetClock.At(start));
    }

    private void Send(ushort port)
    {
        _probe.Now = _host.HostTime;
        _packetClock.Note(_host.HostTime.UtcTicks, _clock.Now);
        _probe.Put(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(port, 53)));
    }

    // Ten seconds, as PacketFeed has them: what is idle is closed then.
    private void Pass(TimeSpan time)
    {
        _host.Wait(time);
        _probe.Collector.Handle(Conntracker.Core.Recording.MessageKind.PacketTime, _packetClock.At(_clock.Now), default);
    }
}
