using System.Net;
using Conntracker.Core.Model;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>On a host that tracked nothing before, the capture says what tracking costs, and the host stops tracking before it would drop packets.</summary>
public sealed class TrackingLimitTests
{
    private const string SwitchedOn = "Connection tracking was not enabled";

    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 0);

    // The limit is the machine's: other captures need it.
    private long _entries;

    [Fact]
    public void Where_nothing_was_tracked_before_a_notice_tells_the_limit()
    {
        using TestNamespace host = new();
        using LiveCapture first = LiveCapture.Start(host);
        string notice = Assert.Single(first.Capture.Notices);
        Assert.StartsWith(SwitchedOn, notice, StringComparison.Ordinal);
        Assert.Contains($"limited to {host.ReadSetting("netfilter/nf_conntrack_max")} connections", notice, StringComparison.Ordinal);

        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), s_server);
        using LiveCapture second = LiveCapture.Start(host);
        Assert.Empty(second.Capture.Notices);
    }

    [Theory]
    [InlineData(TraceMode.None)]
    [InlineData(TraceMode.Flows)]
    public void When_the_kernels_table_is_nearly_full_the_kernel_tracks_no_more_and_the_capture_says_so(TraceMode trace)
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host, keep: false, trace);
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), s_server);
        Eventually.Equal(() => 1, () => live.Flows.Count);

        Volatile.Write(ref _entries, 90);
        Eventually.True("a notice", () =>
            live.Capture.Notices.Any(each =>
                each.Contains("90 of 100", StringComparison.Ordinal) && each.Contains("tracking and traces have ended", StringComparison.Ordinal)));

        Assert.Equal("", host.Run("nft", "list", "ruleset"));
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 2), s_server);
        Assert.DoesNotContain("id=2 ", host.Run("conntrack", "-L"), StringComparison.Ordinal);
        Assert.Equal(CaptureState.Running, live.Capture.State);
        ConntrackException refused = Assert.Throws<ConntrackException>(() => live.Capture.EnableTrace(FlowQuery.All, TimeSpan.FromSeconds(5)));
        Assert.Equal(ConntrackErrorReason.TraceUnavailable, refused.Reason);
        Assert.All(live.Capture.GetTraces(), each => Assert.False(each.IsActive));

        // Flows that are there end as they would.
        host.Run("conntrack", "-D", "-p", "icmp");
        Eventually.Equal(() => FlowState.Closed, () => live.Flows.Single().State);
        live.Stop();
    }

    [Fact]
    public void Who_wants_tracking_to_go_on_keeps_it()
    {
        using TestNamespace host = new();
        using LiveCapture live = Start(host, keep: true, TraceMode.None);
        Volatile.Write(ref _entries, 100);
        Eventually.True("a notice", () => live.Capture.Notices.Any(each => each.Contains("100 of 100", StringComparison.Ordinal)));
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), s_server);
        Eventually.Equal(() => 1, () => live.Flows.Count);
    }

    private LiveCapture Start(TestNamespace host, bool keep, TraceMode trace) => LiveCapture.Start(new CaptureOptions
    {
        NetworkNamespace = host.Name,
        KeepTracking = keep,
        Trace = trace,
        ReadTracking = () => new TrackingReading(Volatile.Read(ref _entries), 100, 0, 0),
    });
}
