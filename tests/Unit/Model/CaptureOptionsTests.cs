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
        { "a replay for a time", new CaptureOptions { ReplayPath = "x", Duration = TimeSpan.FromSeconds(1) }, "" },
        { "a replay in a namespace", new CaptureOptions { ReplayPath = "x", NetworkNamespace = "y" }, "" },
        { "a replay with accounting", new CaptureOptions { ReplayPath = "x", Accounting = true }, "" },
        { "a replay of packets that is told anew whose they are",
            new CaptureOptions { ReplayPath = "x", IncomingUdpPorts = [1], LocalAddresses = [AddressRange.Parse("::/0")] }, null },
        { "a replay of an interface", new CaptureOptions { ReplayPath = "x", Interface = "y" }, "" },
        { "a replay with a filter", new CaptureOptions { ReplayPath = "x", Filter = "y" }, "" },
        { "a replay of a capture file", new CaptureOptions { ReplayPath = "x", PcapPath = "y" }, "" },
        { "a replay with a source", new CaptureOptions { ReplayPath = "x", Source = CaptureSource.Packet }, "" },
        { "packets of an interface", new CaptureOptions { Source = CaptureSource.Packet, Interface = "x", NetworkNamespace = "y",
            Filter = "z", IncomingUdpPorts = [1, 65535], ResolveProcess = true, RecordPath = "v", Duration = TimeSpan.FromTicks(1) }, null },
        { "packets of all interfaces", new CaptureOptions { Source = CaptureSource.Packet }, null },
        { "packets of a file", new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "x", Filter = "y", RecordPath = "z" }, null },
        { "an interface without packets", new CaptureOptions { Interface = "x" }, "" },
        { "a filter without packets", new CaptureOptions { Filter = "x" }, "" },
        { "a capture file without packets", new CaptureOptions { PcapPath = "x" }, "" },
        { "UDP ports without packets", new CaptureOptions { IncomingUdpPorts = [1] }, "" },
        { "UDP port 0", new CaptureOptions { Source = CaptureSource.Packet, IncomingUdpPorts = [53, 0] }, nameof(CaptureOptions.IncomingUdpPorts) },
        { "UDP port 65536", new CaptureOptions { Source = CaptureSource.Packet, IncomingUdpPorts = [53, 65536] }, nameof(CaptureOptions.IncomingUdpPorts) },
        { "packets with accounting", new CaptureOptions { Source = CaptureSource.Packet, Accounting = true }, "" },
        { "packets that are traced", new CaptureOptions { Source = CaptureSource.Packet, Trace = TraceMode.Flows }, "" },
        { "a capture file of an interface", new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "x", Interface = "y" }, "" },
        { "a capture file in a namespace", new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "x", NetworkNamespace = "y" }, "" },
        { "a capture file for a time", new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "x", Duration = TimeSpan.FromSeconds(1) }, "" },
        { "a capture file with processes", new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "x", ResolveProcess = true }, "" },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void An_option_out_of_its_range_is_refused_by_its_name(string name, CaptureOptions options, string? expected)
    {
        ArgumentException? error = Record.Exception(options.Validate) as ArgumentException;
        Assert.True(expected == (error is null ? null : error.ParamName ?? ""), $"{name}: {error?.Message ?? "accepted"}");
    }

    [Fact]
    public void A_conflict_names_both_options_and_the_reason()
    {
        Assert.Equal(
            "Accounting cannot be used with Source: it requires connection tracking, and the source is packets. Packets are always counted.",
            Assert.Throws<ArgumentException>(new CaptureOptions { Source = CaptureSource.Packet, Accounting = true }.Validate).Message);
        Assert.Equal(
            "Filter requires the source Packet: otherwise the source is connection tracking, not packets.",
            Assert.Throws<ArgumentException>(new CaptureOptions { Filter = "tcp" }.Validate).Message);
        Assert.Equal(
            [("Interface", "ReplayPath"), ("PcapPath", "ReplayPath"), ("Source", "ReplayPath"), ("Interface", "PcapPath")],
            new CaptureOptions { ReplayPath = "x", Source = CaptureSource.Packet, Interface = "y", PcapPath = "z" }
                .FindConflicts().Select(each => (each.Option, each.Other!)));
    }

    [Fact]
    public void As_text_they_tell_where_flows_come_from()
    {
        Assert.Equal("connection tracking", new CaptureOptions().ToString());
        Assert.Equal("connection tracking in network namespace blue", new CaptureOptions { NetworkNamespace = "blue" }.ToString());
        Assert.Equal("packets of any", new CaptureOptions { Source = CaptureSource.Packet }.ToString());
        Assert.Equal(
            "packets of eth0 in network namespace blue, filter 'tcp'",
            new CaptureOptions { Source = CaptureSource.Packet, Interface = "eth0", NetworkNamespace = "blue", Filter = "tcp" }.ToString());
        Assert.Equal("capture file /a.pcap, filter 'udp'",
            new CaptureOptions { Source = CaptureSource.Packet, PcapPath = "/a.pcap", Filter = "udp" }.ToString());
        Assert.Equal("recording /a.ctrec", new CaptureOptions { ReplayPath = "/a.ctrec" }.ToString());
    }

    [Fact]
    public void A_capture_is_not_started_with_such_an_option() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CaptureSession.Start(new CaptureOptions { ReplayPath = Fixture.Traffic, MaximumFlows = 1 }));
}
