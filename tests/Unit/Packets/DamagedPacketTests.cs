using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Packets that nobody should send: taken in, counted honestly, never a crash.</summary>
public class DamagedPacketTests
{
    private static readonly int[] s_values = [0x00, 0x01, 0x7f, 0x80, 0xff];

    public static TheoryData<string> Headers => [.. LinkHeader.All.Select(each => each.Name)];

    [Theory]
    [MemberData(nameof(Headers))]
    public void Each_byte_of_each_protocols_packet_changed_is_still_counted_once(string name)
    {
        LinkHeader header = LinkHeader.Of(name);
        using PacketProbe probe = new(linkType: header.Dlt);
        foreach (Exchange exchange in Exchange.All)
        {
            byte[] frame = header.Put(exchange.There);
            for (int slot = 0; slot < frame.Length; slot++)
            {
                byte kept = frame[slot];
                foreach (int value in s_values)
                {
                    frame[slot] = (byte)value;
                    probe.Put(frame);
                }

                frame[slot] = kept;
            }
        }

        CheckSum(probe);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void Random_bytes_behind_every_head_are_counted_once(string name)
    {
        LinkHeader header = LinkHeader.Of(name);
        Random random = new(20260103);
        using PacketProbe probe = new(linkType: header.Dlt);
        byte[] bytes = new byte[200];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            Exchange exchange = Exchange.All[random.Next(Exchange.All.Count)];
            byte[] frame = header.Put([.. exchange.There[..random.Next(1, exchange.There.Length)], .. bytes[..random.Next(bytes.Length)]]);
            for (int flips = random.Next(3); flips > 0; flips--)
            {
                frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
            }

            probe.Now = CollectorProbe.Start.AddSeconds(random.Next(-1000, 1000));
            probe.Put(frame[..random.Next(frame.Length + 1)], random.Next(4) == 0 ? random.Next() : frame.Length);
            if (i % 1000 == 0)
            {
                probe.Flush();
            }
        }

        CheckSum(probe);
    }

    [Fact]
    public void Frames_of_a_kind_that_is_not_known_are_skipped()
    {
        using PacketProbe probe = new(linkType: 127);
        probe.Put(Exchange.All[0].There);
        Assert.Equal((0, 1L), (probe.Flows().Count, probe.Counters.PacketsSkipped));
    }

    [Fact]
    public void A_frame_shorter_than_its_length_of_four_bytes_is_malformed()
    {
        using PacketProbe probe = new();
        for (int length = 0; length < 4; length++)
        {
            probe.Collector.Handle(Conntracker.Core.Recording.MessageKind.Packet, probe.Now.UtcTicks, new byte[length]);
        }

        Assert.Equal((4L, 4L), (probe.Counters.Packets, probe.Counters.Malformed));
    }

    // Every packet is in a flow, skipped or malformed; or an error about a flow, of which these tests make none on purpose.
    private static void CheckSum(PacketProbe probe)
    {
        ulong inFlows = probe.Flows().Aggregate(0ul, (sum, each) => sum + each.Packets!.Value + each.ReplyPackets!.Value);
        CaptureCounters counters = probe.Counters;
        Assert.Equal(counters.Packets, (long)inFlows + counters.PacketsSkipped + counters.Malformed);
        Assert.True(inFlows > 0 && counters.Malformed > 0);
        Assert.InRange(probe.Flows().Count, 1, CaptureOptions.MinimumOfMaximumFlows);
    }
}
