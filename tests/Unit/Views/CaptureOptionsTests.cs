using Conntracker.Core.Capture;
using Xunit;

namespace Conntracker.Tests.Unit;

public class CaptureOptionsTests
{
    public static TheoryData<string, CaptureOptions, string?> Options => new()
    {
        { "the defaults", new CaptureOptions(), null },
        { "the least of all", new CaptureOptions { MaximumFlows = 1024, BufferSize = 4096, Duration = TimeSpan.FromTicks(1) }, null },
        { "the most of all", new CaptureOptions { MaximumFlows = 100_000_000, BufferSize = 1 << 30, Duration = TimeSpan.MaxValue }, null },
        { "too few flows", new CaptureOptions { MaximumFlows = 1023 }, nameof(CaptureOptions.MaximumFlows) },
        { "too many flows", new CaptureOptions { MaximumFlows = 100_000_001 }, nameof(CaptureOptions.MaximumFlows) },
        { "too small a buffer", new CaptureOptions { BufferSize = 4095 }, nameof(CaptureOptions.BufferSize) },
        { "too large a buffer", new CaptureOptions { BufferSize = (1 << 30) + 1 }, nameof(CaptureOptions.BufferSize) },
        { "no time", new CaptureOptions { Duration = TimeSpan.Zero }, nameof(CaptureOptions.Duration) },
        { "less than no time", new CaptureOptions { Duration = TimeSpan.FromSeconds(-1) }, nameof(CaptureOptions.Duration) },
        { "the longest trace", new CaptureOptions { Trace = TraceMode.Flows, TraceDuration = TimeSpan.FromDays(1) }, null },
        { "too short a trace", new CaptureOptions { TraceDuration = TimeSpan.FromMilliseconds(999) }, nameof(CaptureOptions.TraceDuration) },
        { "too long a trace", new CaptureOptions { TraceDuration = TimeSpan.FromDays(1) + TimeSpan.FromTicks(1) }, nameof(CaptureOptions.TraceDuration) },
        { "a replay that traces", new CaptureOptions { ReplayPath = "x", Trace = TraceMode.Flows }, "" },
        { "a replay", new CaptureOptions { ReplayPath = "x", Protocols = [FlowProtocol.Tcp], MaximumFlows = 2000 }, null },
        { "a replay that is recorded", new CaptureOptions { ReplayPath = "x", RecordPath = "y" }, "" },
        { "a replay in a namespace", new CaptureOptions { ReplayPath = "x", NetworkNamespace = "y" }, "" },
        { "a replay with accounting", new CaptureOptions { ReplayPath = "x", Accounting = true }, "" },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void An_option_out_of_its_range_is_refused_by_its_name(string name, CaptureOptions options, string? expected)
    {
        ArgumentException? error = Record.Exception(options.Validate) as ArgumentException;
        Assert.True(expected == (error is null ? null : error.ParamName ?? ""), $"{name}: {error?.Message ?? "accepted"}");
    }

    [Fact]
    public void A_capture_is_not_started_with_such_an_option() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CaptureSession.Start(new CaptureOptions { ReplayPath = Fixture.Traffic, MaximumFlows = 1 }));
}
