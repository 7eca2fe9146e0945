using System.Buffers.Binary;
using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The file that is written: whose it is, where it ends, and what a slow disk costs.</summary>
public sealed class RecordingWriterTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_recording_is_readable_by_its_owner_only() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Write([])));

    [Fact]
    public void A_recording_ends_well_at_its_limit_and_says_so()
    {
        const int Limit = 1000;
        string path = _folder.File("limited");
        using (RecordingWriter writer = RecordingWriter.Create(path, 0, "Linux", Limit))
        {
            for (int i = 0; i < 20; i++)
            {
                writer.Write(MessageKind.ConntrackEvent, i, new byte[100]);
            }

            Assert.Contains($"limit of {Limit} bytes", writer.Failure, StringComparison.Ordinal);
            writer.Finish(99);
        }

        using RecordingReader reader = RecordingReader.Open(path);
        long frames = 0;
        while (reader.Read())
        {
            Assert.Equal((frames, 100), (reader.Time, reader.Data.Length));
            frames++;
        }

        Assert.False(reader.IsCutOff);
        Assert.InRange(new FileInfo(path).Length, Limit - 117, Limit);
        Assert.Equal(8, frames);
    }

    [Theory]
    [InlineData("a file", false)]
    [InlineData("a link that leads nowhere", true)]
    public void What_stands_at_the_path_is_never_overwritten(string name, bool isLink)
    {
        string path = _folder.File("mine");
        string target = _folder.File("target");
        if (isLink)
        {
            File.CreateSymbolicLink(path, target);
        }
        else
        {
            File.WriteAllText(path, "precious");
        }

        ConntrackException error = Assert.Throws<ConntrackException>(() => RecordingWriter.Create(path, 0, "Linux"));
        Assert.True(error.Reason == ConntrackErrorReason.RecordingFailed, name);
        Assert.False(File.Exists(target));
        Assert.True(isLink || File.ReadAllText(path) == "precious");
    }

    [Fact]
    public void A_recording_larger_than_the_writers_buffer_is_whole()
    {
        Frame[] frames = [.. Enumerable.Range(0, 100).Select(i => new Frame(MessageKind.ConntrackDump, i, [.. Enumerable.Repeat((byte)i, 32_000)]))];
        List<Frame> read = Fixture.Frames(Write(frames));
        Assert.Equal(frames.Length, read.Count);
        Assert.All(read, each => Assert.True(each.Data.Length == 32_000 && !each.Data.AsSpan().ContainsAnyExcept((byte)each.Time)));
    }

    [Fact]
    public void A_disk_that_stalls_does_not_hold_the_capture_up_and_what_the_recording_lacks_is_counted_in_both()
    {
        string path = Write([]);
        using CollectorProbe live = new();
        using StallingStream disk = new(path);
        using (RecordingWriter writer = new(disk, path, RecordingWriter.DefaultMaximumLength, waits: false))
        {
            // 100 MiB in frames of 32 KiB: more than waits for the disk. On a thread of its own, for a writer that waits would never come back.
            MessageSink sink = new(live.Collector, writer);
            Thread capture = new(() =>
            {
                for (int i = 0; i < 3200; i++)
                {
                    sink.Put(MessageKind.Addresses, i, new byte[32 << 10]);
                }
            });
            capture.Start();
            Assert.True(capture.Join(TimeSpan.FromSeconds(20)), "The capture waits for the disk.");
            Assert.InRange(live.Counters.RecordingLost, 3200 - 2048 - 32, 3200 - 1900);
            disk.GoOn();
            Eventually(() => writer.Written > 60 << 20);
            sink.Put(MessageKind.Overrun, 9999);
            writer.Finish(10_000);
            Assert.Null(writer.Failure);
        }

        using RecordingReader reader = RecordingReader.Open(path);
        (long frames, long missing, long last) = (0, 0, 0);
        while (reader.Read())
        {
            missing += reader.Kind == MessageKind.RecordingLost ? BinaryPrimitives.ReadInt64LittleEndian(reader.Data) : 0;
            frames += reader.Kind == MessageKind.Addresses ? 1 : 0;
            last = reader.Time;
        }

        Assert.Equal((live.Counters.RecordingLost, 3200L, 9999L, false), (missing, missing + frames, last, reader.IsCutOff));

        using CaptureSession replay = CaptureSession.Start(new CaptureOptions { ReplayPath = path });
        Assert.Equal(live.Counters.RecordingLost, replay.Counters.RecordingLost);
        Assert.Contains($"{missing} messages are missing", Assert.Single(replay.Notices.All()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_that_can_wait_for_the_disk_loses_nothing()
    {
        string path = Write([]);
        using StallingStream disk = new(path);
        using (RecordingWriter writer = new(disk, path, RecordingWriter.DefaultMaximumLength, waits: true))
        {
            Thread source = new(() =>
            {
                for (int i = 0; i < 3200; i++)
                {
                    writer.Write(MessageKind.Addresses, i, new byte[32 << 10]);
                }
            });
            source.Start();
            Assert.False(source.Join(TimeSpan.FromMilliseconds(50)) && writer.Lost > 0);
            disk.GoOn();
            Assert.True(source.Join(TimeSpan.FromSeconds(20)));
            writer.Finish(9999);
            Assert.Equal((0, null), (writer.Lost, writer.Failure));
        }

        Assert.Equal(3200, Fixture.Frames(path).Count(each => each.Kind == MessageKind.Addresses));
    }

    [Fact]
    public void A_recording_that_is_given_up_is_removed_where_it_was_made_though_its_directory_was_moved()
    {
        string directory = _folder.File("made-here");
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, "r.ctrec");
        using RecordingWriter writer = RecordingWriter.Create(path, 0, "Linux");
        Directory.Move(directory, _folder.File("moved"));
        Directory.CreateDirectory(directory);
        File.WriteAllText(path, "another's");
        writer.Discard();
        Assert.Equal("another's", File.ReadAllText(path));
        Assert.Empty(Directory.GetFiles(_folder.File("moved")));
    }

    private static void Eventually(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)));

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
