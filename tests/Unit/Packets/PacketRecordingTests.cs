using System.Globalization;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A recording of packets replays to the same flows and the same counters.</summary>
public sealed class PacketRecordingTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly TempDirectory _folder = new();

    public static TheoryData<string> Headers => [.. LinkHeader.All.Select(each => each.Name)];

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_recording_of_a_capture_file_replays_as_the_file_was_read(string name)
    {
        LinkHeader header = LinkHeader.Of(name);
        PcapFile file = new(header.LinkType, PcapFormat.Nano);
        DateTimeOffset time = s_start;
        foreach (Exchange each in Exchange.All)
        {
            time = time.AddSeconds(11).AddTicks(7);
            file.Add(time, header.Put(each.There)).Add(time, header.Put(each.Back)).Add(time, header.Put(each.There)[..20], each.There.Length);
        }

        string path = file.Write(_folder);
        string recording = _folder.File("packets.ctrec");
        PcapReading read = PcapReading.Of(path, recordPath: recording);
        PcapReading replayed = PcapReading.OfRecording(recording);
        Assert.Equal(read.Flows.Select(Tell), replayed.Flows.Select(Tell));
        Assert.Equal(read.Counters, replayed.Counters);
        Assert.Empty(replayed.Notices);

        // All of it was told: packets of flows that are open, closed as idle, and cut off.
        Assert.Equal(3 * Exchange.All.Count, read.Counters.Packets);
        Assert.True(read.Counters.Malformed > 0);
        Assert.Contains(read.Flows, each => each.State == FlowState.Closed);
        Assert.Contains(read.Flows, each => each.State != FlowState.Closed);
    }

    [Fact]
    public void A_file_that_breaks_off_leaves_a_whole_recording_of_what_was_read()
    {
        PcapFile file = new(PcapFile.Raw);
        foreach (Exchange each in Exchange.All)
        {
            file.Add(s_start, each.There);
        }

        string path = _folder.File("cut.pcap");
        File.WriteAllBytes(path, file.ToBytes()[..^1]);
        string recording = _folder.File("packets.ctrec");
        PcapReading read = PcapReading.Of(path, recordPath: recording);
        PcapReading replayed = PcapReading.OfRecording(recording);
        Assert.Single(read.Notices);
        Assert.Equal(Exchange.All.Count - 1, read.Counters.Packets);
        Assert.Equal(read.Flows.Select(Tell), replayed.Flows.Select(Tell));
        Assert.Equal(read.Counters, replayed.Counters);
        Assert.Empty(replayed.Notices);
    }

    [Fact]
    public void A_file_that_cannot_be_read_leaves_no_recording()
    {
        string path = new PcapFile(linkType: 127).Write(_folder);
        string recording = _folder.File("packets.ctrec");
        Assert.Throws<ConntrackException>(() => PcapReading.Of(path, recordPath: recording));
        Assert.False(File.Exists(recording));
    }

    private static string Tell(Flow flow) => string.Create(
        CultureInfo.InvariantCulture,
        $"{flow} {flow.IcmpType} {flow.IcmpId} {flow.State} {flow.TcpState} {flow.SctpState} {flow.DccpState} {flow.Confirmed} {flow.FirstSeen:O} " +
            $"{flow.LastSeen:O} {flow.Connections} {flow.Packets} {flow.Bytes} {flow.ReplyPackets} {flow.ReplyBytes}");
}
