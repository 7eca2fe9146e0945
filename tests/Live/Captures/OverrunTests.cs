using Conntracker.Tests.Live.Support;
using Conntracker.Tests.Shared;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>A buffer far too small for a flood: what is lost is counted, and put right from the kernel's table.</summary>
public sealed class OverrunTests
{
    private const int Count = 50_000;
    private static readonly TimeSpan s_longTime = TimeSpan.FromMinutes(10);

    [Fact]
    public void After_an_overrun_every_flow_of_the_kernels_table_is_there()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);

        host.Do(() => ConntrackLoad.Create(Count, 0, s_longTime));

        Eventually.Equal(() => Count, () => live.Capture.FlowCount);
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
        AssertCounters(live.Stop());
        Assert.Contains(live.Capture.Notices, notice => notice.Contains("overran", StringComparison.Ordinal));
    }

    [Fact]
    public void A_capture_that_is_stopped_in_the_middle_of_a_flood_repairs_before_it_ends()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);

        host.Do(() => ConntrackLoad.Create(Count, 0, s_longTime));
        AssertCounters(live.Stop());

        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
    }

    [Fact]
    public void Connections_whose_end_was_lost_are_closed()
    {
        using TestNamespace host = new();
        using LiveCapture tracking = LiveCapture.Start(host);
        host.Do(() => ConntrackLoad.Create(Count, 0, s_longTime));
        using LiveCapture live = Start(host);
        Assert.Equal(Count, live.Capture.FlowCount);

        host.Run("conntrack", "-F");

        Eventually.Equal(() => 0, () => live.Flows.Count(flow => flow.State != FlowState.Closed));
        Assert.Equal(Count, live.Capture.FlowCount);
        AssertCounters(live.Stop());
    }

    [Fact]
    public void Connections_that_come_and_go_in_a_flood_end_as_the_kernel_has_them()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host);
        for (int round = 0; round < 4; round++)
        {
            // The same tuples each time, so that an end that was lost shows as another id; those at the end are new.
            host.Do(() => ConntrackLoad.Create(Count / 5, round * 1000, s_longTime));
            if (round < 3)
            {
                host.Run("conntrack", "-F");
            }
        }

        Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
        Assert.True(live.Stop().Overruns > 0);
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
    }

    [Fact]
    public void With_the_usual_buffer_nothing_is_lost_of_the_same_flood()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);

        host.Do(() => ConntrackLoad.Create(Count, 0, s_longTime));

        Eventually.Equal(() => Count, () => live.Capture.FlowCount);
        Assert.Equal(new CaptureCounters(Events: Count, 0, 0, 0, 0, 0), live.Stop().GetCounters());
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
    }

    private static LiveCapture Start(TestNamespace host) =>
        LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, BufferSize = CaptureOptions.MinimumBufferSize });

    private static void AssertCounters(Capture capture)
    {
        CaptureCounters counters = capture.GetCounters();
        Assert.True(counters is { Overruns: > 0, Lost: > 0, Repaired: > 0, Malformed: 0 }, counters.ToString());

        // One message a connection, each either taken in or counted as lost; no more can have been repaired than was lost.
        Assert.Equal(Count, counters.Events + counters.Lost);
        Assert.InRange(counters.Repaired, 1, counters.Lost);
    }
}
