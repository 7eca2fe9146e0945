using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A host that was suspended, or whose clock was set, does not make times wrong, and what came later is never shown as earlier.</summary>
public sealed class CaptureClockTests : IDisposable
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly SettableTime _host = new();
    private readonly CaptureClock _clock;
    private readonly CollectorProbe _probe = new();
    private readonly MessageSink _sink;

    public CaptureClockTests()
    {
        _clock = new CaptureClock(_host);
        _sink = new MessageSink(_probe.Collector, recording: null, _clock);
    }

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData("suspended for an hour, or set forward by one", 3600)]
    [InlineData("set forward by 56 years, as a host without a battery is when it gets the time", 1_767_225_600)]
    public void The_time_of_day_follows_a_host_that_was(string name, int seconds)
    {
        long deadline = _clock.After(TimeSpan.FromSeconds(10));
        _host.Shift(TimeSpan.FromSeconds(seconds));
        _host.Wait(s_second);
        Assert.True(_host.HostTime.UtcTicks == _clock.TimeOfDay, name);

        // Deadlines are counted by time that went by: a capture of ten seconds does not end because of it, and ends in time.
        Assert.True(_clock.Now < deadline);
        _host.Wait(TimeSpan.FromSeconds(9));
        Assert.True(_clock.Now >= deadline);
    }

    [Fact]
    public void A_clock_that_is_set_back_never_makes_later_things_earlier_and_deadlines_go_on()
    {
        long before = _clock.TimeOfDay;
        long deadline = _clock.After(TimeSpan.FromMinutes(1));
        _host.Shift(TimeSpan.FromHours(-1));
        List<long> times = [before];
        for (int i = 0; i < 60; i++)
        {
            _host.Wait(s_second);
            times.Add(_clock.TimeOfDay);
        }

        Assert.Equal(times.Distinct().Order(), times);
        Assert.InRange(times[^1] - before, 1, 1000);
        Assert.True(_clock.Now >= deadline);

        // And it follows again as soon as the host has come to where it was.
        _host.Wait(TimeSpan.FromHours(1));
        Assert.Equal(_host.HostTime.UtcTicks, _clock.TimeOfDay);
    }

    [Fact]
    public void Flows_bear_the_time_of_day_after_the_host_was_suspended()
    {
        Event(new Conn { SrcPort = 1 }.New());
        _host.Shift(TimeSpan.FromHours(8));
        Event(new Conn { SrcPort = 2 }.New());
        Assert.Equal(TimeSpan.FromHours(8), _probe.Flows().Max(each => each.FirstSeen!.Value) - _probe.Flows().Min(each => each.FirstSeen!.Value));
    }

    [Fact]
    public void While_the_clock_is_behind_a_dump_still_closes_what_is_gone_and_spares_what_an_event_spoke_of()
    {
        _host.Wait(s_second);
        Event(new Conn { SrcPort = 1 }.New());
        Event(new Conn { SrcPort = 2 }.New());
        _host.Shift(TimeSpan.FromHours(-1));
        Event(new Conn { SrcPort = 3 }.New());
        _sink.Put(MessageKind.DumpRequested, _clock.Now, [(byte)DumpReason.Repair]);
        Event((new Conn { SrcPort = 2 } with { Status = Conn.Replied }).Update());
        _sink.Put(MessageKind.ConntrackDump, _clock.Now, CollectorProbe.DumpEnd());
        Assert.Equal("Closed Replied Closed", string.Join(' ', _probe.Flows().OrderBy(each => each.SrcPort).Select(each => each.State)));
    }

    [Fact]
    public void Threads_that_ask_at_once_get_different_times()
    {
        System.Collections.Concurrent.ConcurrentBag<long> times = [];
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 1000; i++)
            {
                times.Add(_clock.TimeOfDay);
            }
        });
        Assert.Equal(4000, times.Distinct().Count());
    }

    private void Event(byte[] datagram) => _sink.Put(MessageKind.ConntrackEvent, _clock.Now, datagram);
}
