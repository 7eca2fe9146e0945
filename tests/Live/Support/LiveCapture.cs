using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A capture in a test's namespace; removed at the test's end, and never waited for without an end.</summary>
internal sealed class LiveCapture : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private LiveCapture(Capture capture) => Capture = capture;

    /// <summary>The capture.</summary>
    public Capture Capture { get; }

    /// <summary>Starts one.</summary>
    public static LiveCapture Start(TestNamespace where) => Start(new CaptureOptions { NetworkNamespace = where.Name });

    /// <summary>Starts one.</summary>
    public static LiveCapture Start(CaptureOptions options)
    {
        using CancellationTokenSource deadline = new(s_patience);
        return new LiveCapture(CaptureRegistry.Start(null, options, deadline.Token));
    }

    /// <summary>All flows.</summary>
    public IReadOnlyList<Flow> Flows => [.. Capture.GetFlows(FlowQuery.All)];

    /// <summary>What a user ought to know of it, but for that it switched connection tracking on: namespaces of tests track nothing before.</summary>
    public IReadOnlyList<string> Notices =>
        [.. Capture.Notices.Where(each => !each.StartsWith("Connection tracking was not enabled", StringComparison.Ordinal))];

    /// <summary>Stops it and waits until it has ended.</summary>
    public Capture Stop()
    {
        Capture.Session.RequestStop();
        Assert.True(Capture.Wait(s_patience), "The capture did not stop.");
        Assert.Null(Capture.Error);
        return Capture;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Capture.Session.RequestStop();
        if (Capture.Wait(s_patience))
        {
            CaptureRegistry.Remove(Capture);
        }
    }
}
