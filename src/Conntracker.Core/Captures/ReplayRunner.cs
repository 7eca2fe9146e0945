using Conntracker.Core.Recording;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Replays a recording, as fast as possible. Times are those of the recording.</summary>
internal sealed class ReplayRunner : ICaptureRunner
{
    private readonly RecordingReader _recording;
    private readonly FlowCollector _collector;
    private readonly CaptureNotices _notices;
    private readonly string _path;
    private volatile bool _stop;

    /// <summary>Opens the recording.</summary>
    /// <exception cref="ConntrackException">The file cannot be opened, or is not a recording.</exception>
    public ReplayRunner(string path, FlowCollector collector, CaptureNotices notices)
    {
        _recording = RecordingReader.Open(path);
        _collector = collector;
        _notices = notices;
        _path = path;
    }

    /// <inheritdoc/>
    public TraceControl? Tracing => null;

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        // A recording is read to its end before its flows are shown.
        while (!_stop && _recording.Read())
        {
            _collector.Handle(_recording.Kind, _recording.Time, _recording.Data);
        }

        _collector.Flush(long.MaxValue);

        if (_recording.IsCutOff)
        {
            _notices.Add("cut-off",
                $"The recording {_path} is truncated: the program that wrote it was killed. Its {_recording.MessageCount} complete frames were replayed.");
        }

        if (_collector.Counters.RecordingLost is > 0 and long missing)
        {
            _notices.Add("recording-lost",
                $"{missing} messages are missing in the recording {_path}, because the disk was too slow. " +
                    "Flows may be missing, or shown as open although they were closed.");
        }

        ready();
    }

    /// <inheritdoc/>
    public void RequestStop() => _stop = true;

    /// <inheritdoc/>
    public bool RequestRefresh() => false;

    /// <inheritdoc/>
    public void Dispose() => _recording.Dispose();
}
