using System.Diagnostics;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Capture files of every format and link type, through libpcap itself.</summary>
public sealed class LinkTypeTests : IDisposable
{
    private static readonly byte[] s_query4 = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53));
    private static readonly byte[] s_answer4 = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(53, 40000, 100), "198.51.100.2", "192.0.2.2");
    private static readonly byte[] s_query6 = Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53));
    private static readonly byte[] s_answer6 = Packet.IPv6(FlowProtocol.Udp, Packet.Ports(53, 40000, 100), "2001:db8:2::2", "2001:db8:1::2");
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly TempDirectory _folder = new();

    public static TheoryData<string> Headers => [.. LinkHeader.All.Select(each => each.Name)];

    public static TheoryData<PcapFormat> Formats => [.. Enum.GetValues<PcapFormat>()];

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Headers))]
    public void Packets_are_found_behind_every_head_that_is_understood(string name)
    {
        LinkHeader header = LinkHeader.Of(name);
        PcapFile file = new(header.LinkType);
        foreach (byte[] packet in (byte[][])[s_query4, s_answer4, s_query6, s_answer6])
        {
            file.Add(s_start, header.Put(packet));
        }

        Check(PcapReading.Of(file.Write(_folder)));
    }

    [Theory]
    [InlineData(PcapFile.IPv4)]
    [InlineData(PcapFile.IPv6)]
    public void Packets_of_one_family_are_found_where_the_file_says_that_there_are_no_others(int linkType)
    {
        (byte[] query, byte[] answer) = linkType == PcapFile.IPv4 ? (s_query4, s_answer4) : (s_query6, s_answer6);
        PcapReading read = PcapReading.Of(new PcapFile(linkType).Add(s_start, query).Add(s_start, answer).Write(_folder));
        Assert.Equal((1ul, 1ul), (Assert.Single(read.Flows).Packets!.Value, read.Flows[0].ReplyPackets!.Value));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Files_of_every_format_have_the_same_packets_and_times(PcapFormat format)
    {
        PcapFile file = new(PcapFile.Ethernet, format);
        int seconds = 0;
        foreach (byte[] packet in (byte[][])[s_query4, s_answer4, s_query6, s_answer6])
        {
            file.Add(s_start.AddSeconds(seconds++).AddTicks(1230), LinkFrame.Ethernet(packet));
        }

        PcapReading read = PcapReading.Of(file.Write(_folder));
        Check(read);
        Assert.Equal(
            [(s_start.AddTicks(1230), s_start.AddTicks(1230).AddSeconds(1)), (s_start.AddTicks(1230).AddSeconds(2), s_start.AddTicks(1230).AddSeconds(3))],
            read.Flows.Select(each => (each.FirstSeen!.Value, each.LastSeen!.Value)));
    }

    [Theory]
    [InlineData(PcapFormat.Nano)]
    [InlineData(PcapFormat.NanoBigEndian)]
    [InlineData(PcapFormat.Ng)]
    [InlineData(PcapFormat.NgBigEndian)]
    public void Times_are_kept_to_a_tenth_of_a_microsecond_where_the_file_has_them(PcapFormat format)
    {
        string path = new PcapFile(PcapFile.Raw, format).Add(s_start.AddTicks(9_999_999), s_query4).Write(_folder);
        Assert.Equal(s_start.AddTicks(9_999_999), Assert.Single(PcapReading.Of(path).Flows).FirstSeen);
    }

    [Theory]
    [InlineData(105, "IEEE802_11")]
    [InlineData(127, "IEEE802_11_RADIO")]
    [InlineData(189, "USB_LINUX")]
    [InlineData(60000, "number 60000")]
    public void A_link_type_that_cannot_be_read_is_an_error_that_names_it(int linkType, string name)
    {
        foreach (PcapFormat format in (PcapFormat[])[PcapFormat.Micro, PcapFormat.Ng])
        {
            string path = new PcapFile(linkType, format).Add(s_start, new byte[60]).Write(_folder);
            ConntrackException error = Assert.Throws<ConntrackException>(() => PcapReading.Of(path));
            Assert.Equal(ConntrackErrorReason.LinkTypeUnknown, error.Reason);
            Assert.Contains($" {name},", error.Message, StringComparison.Ordinal);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_whose_second_interface_is_of_another_kind_is_read_up_to_there_and_says_so()
    {
        PcapFile file = new(PcapFile.Raw, PcapFormat.Ng);
        string path = file.Add(s_start, s_query4).AddInterfaceOf(PcapFile.Ethernet).Add(s_start, s_answer4).Write(_folder);
        PcapReading read = PcapReading.Of(path);
        Assert.Equal(0ul, Assert.Single(read.Flows).ReplyPackets);
        Assert.Contains(path, Assert.Single(read.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_packets_has_no_flows_and_nothing_to_tell()
    {
        PcapReading read = PcapReading.Of(new PcapFile().Write(_folder));
        Assert.Empty(read.Flows);
        Assert.Empty(read.Notices);
        Assert.Equal(0, read.Counters.Packets);
    }

    [Fact]
    public void What_is_no_capture_file_or_not_there_is_an_error_that_names_it()
    {
        string text = _folder.File("notes.txt");
        File.WriteAllText(text, "These are not the packets you are looking for.");
        string empty = _folder.File("empty");
        File.WriteAllText(empty, "");
        foreach ((string path, ConntrackErrorReason reason) in ((string, ConntrackErrorReason)[])
            [(text, ConntrackErrorReason.PcapInvalid), (empty, ConntrackErrorReason.PcapInvalid),
                (_folder.File("gone"), ConntrackErrorReason.PcapFailed), (_folder.Path, ConntrackErrorReason.PcapFailed)])
        {
            ConntrackException error = Assert.Throws<ConntrackException>(() => PcapReading.Of(path));
            Assert.Equal(reason, error.Reason);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_named_pipe_that_another_program_writes_into_is_read_like_a_file()
    {
        // Many times: what a second opening would lose depends on who is quicker. A pipe each: programs that other tests start at this moment
        // hold the pipe's ends for a moment more.
        string[] pipes = [.. Enumerable.Range(0, 100).Select(number => _folder.File($"pipe{number}"))];
        using (Process made = Process.Start("mkfifo", pipes))
        {
            await made.WaitForExitAsync();
        }

        byte[] bytes = new PcapFile(PcapFile.Raw).Add(s_start, s_query4).Add(s_start, s_answer4).ToBytes();
        foreach (string pipe in pipes)
        {
            Task writer = OnThread(() =>
            {
                using FileStream stream = new(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                stream.Write(bytes);
                return 0;
            });
            PcapReading read = await OnThread(() => PcapReading.Of(pipe)).WaitAsync(TimeSpan.FromSeconds(60));
            await writer;
            Assert.Equal(2, read.Counters.Packets);
        }
    }

    [Fact]
    public void A_filter_chooses_packets_and_one_with_a_mistake_is_an_error_that_quotes_it()
    {
        string path = new PcapFile(PcapFile.Raw).Add(s_start, s_query4).Add(s_start, s_query6).Add(s_start, s_answer4).Write(_folder);
        PcapReading read = PcapReading.Of(path, filter: "ip and udp port 53");
        Assert.Equal((1ul, 1ul), (Assert.Single(read.Flows).Packets!.Value, read.Flows[0].ReplyPackets!.Value));
        Assert.Equal(2, read.Counters.Packets);
        ConntrackException error = Assert.Throws<ConntrackException>(() => PcapReading.Of(path, filter: "udp prot 53"));
        Assert.Equal(ConntrackErrorReason.FilterInvalid, error.Reason);
        Assert.Contains("udp prot 53", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_packets_than_one_batch_holds_are_all_read()
    {
        PcapFile file = new(PcapFile.Raw);
        for (int i = 0; i < 3000; i++)
        {
            file.Add(s_start.AddMilliseconds(i), i % 2 == 0 ? s_query4 : s_answer4);
        }

        Flow flow = Assert.Single(PcapReading.Of(file.Write(_folder)).Flows);
        Assert.Equal((1500ul, 1500ul), (flow.Packets!.Value, flow.ReplyPackets!.Value));
    }

    private static void Check(PcapReading read)
    {
        Assert.Equal(
            [
                "Udp 192.0.2.2:40000 -> 198.51.100.2:53 Replied True 1/28 1/120",
                "Udp [2001:db8:1::2]:40000 -> [2001:db8:2::2]:53 Replied True 1/48 1/140",
            ],
            read.Flows.Select(each => $"{each} {each.State} {each.Confirmed} {each.Packets}/{each.Bytes} {each.ReplyPackets}/{each.ReplyBytes}"));
        Assert.Empty(read.Notices);
        Assert.Equal((4L, 0L, 0L), (read.Counters.Packets, read.Counters.PacketsSkipped, read.Counters.Malformed));
    }

    // Opening a pipe waits for its other end: not on the pool's threads, which other tests need.
    private static Task<T> OnThread<T>(Func<T> act) =>
        Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
