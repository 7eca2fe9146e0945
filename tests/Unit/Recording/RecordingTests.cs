using System.Buffers.Binary;
using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What is recorded is replayed, or the reader is told why not.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        Frame[] frames = [new(MessageKind.ConntrackEvent, 5, [1, 2, 3]), new(MessageKind.Overrun, 6, []), new(MessageKind.ConntrackDump, 7, new byte[40_000])];
        string path = Write(frames, startTime: 4711, kernel: "Linux 6.18.0-Zürich x86_64");

        using RecordingReader reader = RecordingReader.Open(path);
        Assert.Equal((4711, "Linux 6.18.0-Zürich x86_64"), (reader.StartTime, reader.Kernel));
        foreach (Frame frame in frames)
        {
            Assert.True(reader.Read());
            Assert.Equal((frame.Kind, frame.Time), (reader.Kind, reader.Time));
            Assert.Equal(frame.Data, reader.Data.ToArray());
        }

        Assert.False(reader.Read());
        Assert.Equal((MessageKind.End, 99, false), (reader.Kind, reader.Time, reader.IsCutOff));
    }

    [Fact]
    public void A_replayed_capture_equals_the_one_that_was_recorded()
    {
        using CollectorProbe live = new();
        string path = _folder.File("again.ctrec");
        using (RecordingWriter writer = RecordingWriter.Create(path, 0, "Linux"))
        {
            MessageSink sink = new(live.Collector, writer);
            List<Frame> frames = Fixture.Frames(Fixture.Traffic);
            frames.ForEach(each => sink.Put(each.Kind, each.Time, each.Data));
            sink.Put(MessageKind.Overrun, frames[^1].Time);
            sink.PutNumber(MessageKind.Lost, frames[^1].Time, 7);
            sink.Put(MessageKind.ConntrackEvent, frames[^1].Time, [1]);
            writer.Finish(frames[^1].Time);
        }

        using CaptureSession replay = CaptureSession.Start(new CaptureOptions { ReplayPath = path });
        Assert.Equal(live.Counters, replay.Counters);
        Assert.Equal((7, 1, 1), (replay.Counters.Lost, replay.Counters.Overruns, replay.Counters.Malformed));
        Assert.Equal(live.Flows().Select(Everything), replay.GetFlows(FlowQuery.All).Select(Everything));
        Assert.Equal(CaptureState.Stopped, replay.State);
    }

    [Theory]
    [InlineData("empty", "")]
    [InlineData("shorter than any header", "CTREC\r\n\0")]
    [InlineData("a text", "flows of a firewall, line by line\n")]
    [InlineData("copied as text", "CTREC\n\0\u0001\0\u0010\0................................")]
    public void A_file_that_is_no_recording_is_refused(string name, string content)
    {
        string path = _folder.File("other");
        File.WriteAllText(path, content);
        ConntrackException error = Assert.Throws<ConntrackException>(() => RecordingReader.Open(path));
        Assert.True(error.Reason == ConntrackErrorReason.RecordingInvalid, name);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_of_another_version_is_refused_by_its_number()
    {
        string path = Write([]);
        Patch(path, 8, 2);
        ConntrackException error = Assert.Throws<ConntrackException>(() => RecordingReader.Open(path));
        Assert.Equal(ConntrackErrorReason.RecordingInvalid, error.Reason);
        Assert.Contains("version 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_that_is_not_there_is_said_not_to_be_there()
    {
        ConntrackException error = Assert.Throws<ConntrackException>(() => Fixture.Replay(_folder.File("none")));
        Assert.Equal(ConntrackErrorReason.RecordingFailed, error.Reason);
    }

    [Fact]
    public void A_bit_flipped_anywhere_in_the_head_is_noticed()
    {
        byte[] intact = File.ReadAllBytes(Write([new Frame(MessageKind.Overrun, 1, [])]));
        int header = FrameOffsets(intact)[0];
        for (int i = 0; i < header; i++)
        {
            string path = Flipped(intact, i);
            Assert.True(
                Assert.ThrowsAny<ConntrackException>(() => RecordingReader.Open(path))
                    .Reason == ConntrackErrorReason.RecordingInvalid, $"Byte {i} of the header.");
        }
    }

    [Fact]
    public void A_bit_flipped_anywhere_in_a_frame_is_noticed()
    {
        byte[] intact = File.ReadAllBytes(Write([.. Fixture.Frames(Fixture.Traffic).TakeLast(12)]));
        List<int> offsets = FrameOffsets(intact);
        Random random = new(7);
        for (int frame = 0; frame < offsets.Count; frame++)
        {
            int end = frame + 1 < offsets.Count ? offsets[frame + 1] : intact.Length;
            int[] slots = [0, 3, 4, 5, 12, 13, 16, random.Next(17, Math.Max(18, end - offsets[frame])), end - offsets[frame] - 1];
            foreach (int slot in slots.Where(each => offsets[frame] + each < end))
            {
                using RecordingReader reader = RecordingReader.Open(Flipped(intact, offsets[frame] + slot));
                bool isNoticed = false;
                try
                {
                    while (reader.Read())
                    {
                    }

                    isNoticed = reader.IsCutOff;
                }
                catch (ConntrackException error)
                {
                    isNoticed = error.Reason == ConntrackErrorReason.RecordingInvalid
                        && error.Message.Contains($"frame {frame + 1} ", StringComparison.Ordinal);
                }

                Assert.True(isNoticed && reader.MessageCount == frame, $"Byte {slot} of frame {frame + 1}.");
            }
        }
    }

    [Fact]
    public void A_damaged_recording_cannot_be_replayed_as_if_it_were_whole()
    {
        byte[] intact = File.ReadAllBytes(Fixture.Traffic);
        string path = Flipped(intact, FrameOffsets(intact)[20] + RecordingFormat.MessageHeaderLength);
        ConntrackException error = Assert.Throws<ConntrackException>(() => Fixture.Replay(path));
        Assert.Contains("damaged: the checksum of frame 21", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_cut_off_anywhere_replays_its_whole_frames_and_says_so()
    {
        byte[] intact = File.ReadAllBytes(Fixture.Traffic);
        List<int> offsets = FrameOffsets(intact);
        foreach (int frame in (int[])[0, 1, 40, offsets.Count - 1])
        {
            foreach (int more in (int[])[0, 1, 16, 17])
            {
                string path = _folder.File($"cut-{frame}-{more}.ctrec");
                File.WriteAllBytes(path, intact[..Math.Min(offsets[frame] + more, intact.Length - 1)]);
                using CaptureSession replay = CaptureSession.Start(new CaptureOptions { ReplayPath = path });
                string notice = Assert.Single(replay.Notices.All());
                int whole = frame + (frame + 1 < offsets.Count && offsets[frame] + more == offsets[frame + 1] ? 1 : 0);
                Assert.Contains($"Its {whole} complete frames", notice, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("before the first", -1)]
    [InlineData("the least number", long.MinValue)]
    [InlineData("after the last", 3_155_378_976_000_000_000)]
    [InlineData("the greatest number", long.MaxValue)]
    public void A_time_that_no_clock_shows_is_damage(string name, long time)
    {
        string path = Write([new Frame(MessageKind.ConntrackEvent, time, new Conn().New())]);
        ConntrackException error = Assert.Throws<ConntrackException>(() => Fixture.Replay(path));
        Assert.True(error.Reason == ConntrackErrorReason.RecordingInvalid, name);
        Assert.Contains("damaged: frame 1 has an invalid time", error.Message, StringComparison.Ordinal);
        Assert.Throws<ConntrackException>(() => RecordingReader.Open(Write([], startTime: time)));
    }

    [Fact]
    public void The_checksum_is_CRC_32C() =>
        Assert.Equal((0xe3069283u, 0xe3069283u),
            (RecordingFormat.Checksum(0, "123456789"u8), RecordingFormat.Checksum(RecordingFormat.Checksum(0, "1234"u8), "56789"u8)));

    private static string Everything(Flow flow) =>
        string.Join('\n', typeof(Flow).GetProperties().Where(each => each.Name != nameof(Flow.Trace))
            .Select(each => $"{each.Name}={Exact(each.GetValue(flow))}"));

    private static object? Exact(object? value) => value is DateTimeOffset time ? time.UtcTicks : value;

    private static List<int> FrameOffsets(byte[] recording)
    {
        List<int> offsets = [];
        int start = RecordingFormat.FixedHeaderLength + BinaryPrimitives.ReadUInt16LittleEndian(recording.AsSpan(10)) + sizeof(uint);
        while (start < recording.Length)
        {
            offsets.Add(start);
            start += RecordingFormat.MessageHeaderLength + BinaryPrimitives.ReadInt32LittleEndian(recording.AsSpan(start));
        }

        return offsets;
    }

    private static void Patch(string path, int offset, byte value)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[offset] = value;
        File.WriteAllBytes(path, bytes);
    }

    private string Flipped(byte[] intact, int offset)
    {
        byte[] flipped = [.. intact];
        flipped[offset] ^= 1;
        string path = _folder.File("flipped.ctrec");
        File.WriteAllBytes(path, flipped);
        return path;
    }

    private string Write(Frame[] frames, long startTime = 1, string kernel = "Linux")
    {
        string path = _folder.File($"{Guid.NewGuid()}.ctrec");
        using RecordingWriter writer = RecordingWriter.Create(path, startTime, kernel);
        Array.ForEach(frames, each => writer.Write(each.Kind, each.Time, each.Data));
        writer.Finish(99);
        Assert.Null(writer.Failure);
        return path;
    }
}
