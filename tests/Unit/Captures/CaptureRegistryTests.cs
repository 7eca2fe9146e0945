using System.Buffers.Binary;
using System.Diagnostics;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Whose captures end when the module leaves a runspace.</summary>
public sealed class CaptureRegistryTests : IDisposable
{
    private static readonly string s_recording = Path.Combine(AppContext.BaseDirectory, "Fixtures", "recordings", "traffic.ctrec");

    private readonly TempDirectory _folder = new();
    private readonly Guid _owner = Guid.NewGuid();
    private readonly Guid _other = Guid.NewGuid();

    public CaptureRegistryTests()
    {
        CaptureRegistry.AddOwner(_owner);
        CaptureRegistry.AddOwner(_other);
    }

    public void Dispose()
    {
        CaptureRegistry.ForgetOwner(_owner);
        CaptureRegistry.ForgetOwner(_other);
        CaptureRegistry.RemoveAll();
        _folder.Dispose();
    }

    [Fact]
    public void One_that_leaves_takes_its_own_captures_and_the_last_one_all()
    {
        Conntracker.Capture mine = Start("mine", _owner);
        Conntracker.Capture theirs = Start("theirs", _other);
        Conntracker.Capture nobodys = Start("nobody's", Guid.Empty);

        CaptureRegistry.RemoveOwner(_owner);
        Assert.Equal([theirs, nobodys], CaptureRegistry.All);
        Assert.Equal(0, mine.FlowCount);
        Assert.NotEqual(0, theirs.FlowCount);

        CaptureRegistry.RemoveOwner(_other);
        Assert.Empty(CaptureRegistry.All);
        Assert.Equal(0, nobodys.FlowCount);
    }

    [Fact]
    public void Captures_of_one_that_is_gone_without_leaving_go_on_until_the_last_one_leaves()
    {
        Conntracker.Capture mine = Start("mine", _owner);

        CaptureRegistry.ForgetOwner(_owner);
        Assert.Equal([mine], CaptureRegistry.All);

        CaptureRegistry.RemoveOwner(_other);
        Assert.Empty(CaptureRegistry.All);
    }

    [Fact]
    public async Task A_capture_that_is_being_started_when_its_owner_leaves_is_given_up_and_those_of_others_are_not()
    {
        using EndlessRecording mine = new(_folder.File("mine"));
        using EndlessRecording theirs = new(_folder.File("theirs"));
        Task<Conntracker.Capture> start = Task.Run(() => Start("mine", _owner, mine.Path));
        Task<Conntracker.Capture> other = Task.Run(() => Start("theirs", _other, theirs.Path));
        Eventually.True("both being read", () => mine.IsRead && theirs.IsRead);
        Assert.Equal(ConntrackErrorReason.CaptureExists, Assert.Throws<ConntrackException>(() => Start("MINE", _other)).Reason);

        CaptureRegistry.RemoveOwner(_owner);

        // When that returns it is over: nothing of it is left in the kernel, and its name is free.
        Assert.True(mine.IsClosed);
        ConntrackException error = await Assert.ThrowsAsync<ConntrackException>(() => start);
        Assert.Contains("'mine'", error.Message, StringComparison.Ordinal);
        Assert.Equal("mine", Start("mine", _other).Name);

        theirs.End();
        Assert.NotEqual(0, (await other).FlowCount);
    }

    private static Conntracker.Capture Start(string name, Guid owner, string? path = null) =>
        CaptureRegistry.Start(name, new CaptureOptions { ReplayPath = path ?? s_recording }, owner, CancellationToken.None);

    /// <summary>A recording that goes on until it is ended: a replay of it is being started for so long.</summary>
    private sealed class EndlessRecording : IDisposable
    {
        // More than a pipe holds: whoever takes it has read some.
        private const int MoreThanAPipe = 1 << 20;

        private readonly Thread _writer;
        private long _written;
        private volatile bool _isEnded;
        private volatile bool _isClosed;

        public EndlessRecording(string path)
        {
            Path = path;
            using Process mkfifo = Process.Start("mkfifo", [path]);
            mkfifo.WaitForExit();
            _writer = new Thread(Write) { IsBackground = true };
            _writer.Start();
        }

        public string Path { get; }

        public bool IsRead => Interlocked.Read(ref _written) > MoreThanAPipe;

        // The reader is gone: the pipe is broken.
        public bool IsClosed
        {
            get
            {
                _writer.Join(TimeSpan.FromSeconds(20));
                return _isClosed;
            }
        }

        public void End() => _isEnded = true;

        public void Dispose()
        {
            End();
            _writer.Join(TimeSpan.FromSeconds(20));
        }

        private void Write()
        {
            byte[] recording = File.ReadAllBytes(s_recording);
            int header = RecordingFormat.FixedHeaderLength +
                BinaryPrimitives.ReadUInt16LittleEndian(recording.AsSpan(RecordingFormat.FixedHeaderLength - sizeof(ushort))) + sizeof(uint);
            int end = recording.Length - RecordingFormat.MessageHeaderLength;
            try
            {
                using FileStream pipe = new(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                pipe.Write(recording.AsSpan(0, header));
                while (!_isEnded)
                {
                    pipe.Write(recording.AsSpan(header, end - header));
                    Interlocked.Add(ref _written, end - header);
                }

                pipe.Write(recording.AsSpan(end));
            }
            catch (IOException)
            {
                _isClosed = true;
            }
        }
    }
}
