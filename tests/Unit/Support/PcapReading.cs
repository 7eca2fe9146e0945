using System.Runtime.InteropServices;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What came of a capture file, read through libpcap. Where there is none, the test is skipped.</summary>
internal sealed record PcapReading(List<Flow> Flows, CaptureCounters Counters, IReadOnlyList<string> Notices)
{
    private static readonly Lazy<bool> s_hasLibpcap = new(() => NativeLibrary.TryLoad("libpcap.so.0.8", out _) || NativeLibrary.TryLoad("libpcap.so.1", out _));

    /// <summary>Reads a file to its end.</summary>
    public static PcapReading Of(string path, string? filter = null, string? recordPath = null, int maximumFlows = CaptureOptions.MinimumOfMaximumFlows)
    {
        Assert.SkipUnless(s_hasLibpcap.Value, "There is no libpcap here (Debian: libpcap0.8).");
        return Of(new CaptureOptions { Source = CaptureSource.Packet, PcapPath = path, Filter = filter, RecordPath = recordPath, MaximumFlows = maximumFlows });
    }

    /// <summary>What came of a recording.</summary>
    public static PcapReading OfRecording(string path) => Of(new CaptureOptions { ReplayPath = path, MaximumFlows = CaptureOptions.MinimumOfMaximumFlows });

    private static PcapReading Of(CaptureOptions options)
    {
        using CaptureSession session = CaptureSession.Start(options);
        session.Stop();
        return new PcapReading([.. session.GetFlows(FlowQuery.All)], session.Counters, session.Notices.All());
    }
}
