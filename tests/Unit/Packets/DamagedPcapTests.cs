using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Capture files that were cut off or damaged: what is sound is read, and it is said that there was more.</summary>
public sealed class DamagedPcapTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    // One flow for each packet, so that each one that was read can be seen.
    private static readonly Exchange[] s_exchanges =
    [
        .. Exchange.All.Where(each =>
            each.Name.EndsWith(", IPv4", StringComparison.Ordinal) || each.Name is "Tcp, IPv6" or "IcmpV6, IPv6 with extension headers"),
    ];

    private readonly TempDirectory _folder = new();

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(PcapFormat.Micro)]
    [InlineData(PcapFormat.Ng)]
    public void A_file_cut_off_after_any_byte_is_read_up_to_there(PcapFormat format)
    {
        PcapFile file = Build(format);
        byte[] whole = file.ToBytes();
        string path = _folder.File("cut.pcap");
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            if (length < file.Ends[0])
            {
                Assert.Equal(ConntrackErrorReason.PcapInvalid, Assert.Throws<ConntrackException>(() => PcapReading.Of(path)).Reason);
                continue;
            }

            PcapReading read = PcapReading.Of(path);
            int packets = file.Ends.Count(each => each <= length) - 1;
            Assert.Equal(s_exchanges[..packets].Select(each => each.Flow), read.Flows.Select(each => each.ToString()));
            Assert.Equal((packets, 0L, 0L), ((int)read.Counters.Packets, read.Counters.PacketsSkipped, read.Counters.Malformed));
            if (file.Ends.Contains(length))
            {
                Assert.Empty(read.Notices);
            }
            else
            {
                Assert.Contains("truncated or damaged", Assert.Single(read.Notices), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData(PcapFormat.Micro)]
    [InlineData(PcapFormat.Ng)]
    public void A_file_with_any_byte_changed_is_an_error_or_read_up_to_there_and_every_packet_counted_once(PcapFormat format)
    {
        PcapFile file = Build(format);
        byte[] bytes = file.ToBytes();
        string path = _folder.File("damaged.pcap");
        int refused = 0;
        for (int slot = 0; slot < bytes.Length; slot++)
        {
            byte kept = bytes[slot];
            foreach (int value in (int[])[0xff - kept, kept ^ 1])
            {
                bytes[slot] = (byte)value;
                File.WriteAllBytes(path, bytes);
                try
                {
                    Check(PcapReading.Of(path), file, slot);
                }
                catch (ConntrackException error) when (slot < file.Ends[0])
                {
                    Assert.True(error.Reason is ConntrackErrorReason.PcapInvalid or ConntrackErrorReason.LinkTypeUnknown, error.Message);
                    refused++;
                }
            }

            bytes[slot] = kept;
        }

        Assert.True(refused > 0);
    }

    private static void Check(PcapReading read, PcapFile file, int slot)
    {
        long inFlows = read.Flows.Sum(each => (long)(each.Packets! + each.ReplyPackets!));
        Assert.Equal(read.Counters.Packets, inFlows + read.Counters.PacketsSkipped + read.Counters.Malformed);
        if (slot >= file.Ends[0])
        {
            int sound = file.Ends.Count(each => each <= slot) - 1;
            Assert.Equal(s_exchanges[..sound].Select(each => each.Flow), read.Flows.Take(sound).Select(each => each.ToString()));
        }
        Assert.InRange(read.Notices.Count, 0, 1);
    }

    private static PcapFile Build(PcapFormat format)
    {
        PcapFile file = new(PcapFile.Raw, format);
        foreach (Exchange each in s_exchanges)
        {
            file.Add(s_start, each.There);
        }

        return file;
    }
}
