using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>The optional recording of a capture. Its file is kept only if the capture has begun.</summary>
internal sealed class CaptureRecording : IDisposable
{
    private readonly CaptureNotices _notices;
    private bool _hasBegun;

    /// <summary>Creates the file.</summary>
    /// <param name="path">Its path; null for no recording.</param>
    /// <param name="notices">Receives later errors.</param>
    /// <param name="now">The time: ticks of UTC.</param>
    /// <param name="waits">Whether the source can wait for the disk.</param>
    /// <exception cref="ConntrackException">The file cannot be created.</exception>
    public CaptureRecording(string? path, CaptureNotices notices, long now, bool waits = false)
    {
        _notices = notices;
        Writer = path is null ? null : RecordingWriter.Create(path, now, KernelName.Read(), waits: waits);
    }

    /// <summary>The recording's writer; null if there is no recording.</summary>
    public RecordingWriter? Writer { get; }

    /// <summary>Notes that the capture runs: from here on the file is kept.</summary>
    public void Begin() => _hasBegun = true;

    /// <summary>Reports a write error.</summary>
    public void Report()
    {
        if (Writer?.Failure is string failure)
        {
            _notices.Add("recording", failure);
        }

        if (Writer?.Lost > 0)
        {
            _notices.Add("recording-lost",
                "The disk was too slow for the recording. Messages are missing in it (RecordingLost counts them), but not in the capture.");
        }
    }

    /// <summary>Ends the recording of a capture that ended without an error.</summary>
    public void End(long now)
    {
        Writer?.Finish(now);
        Report();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_hasBegun)
        {
            Writer?.Dispose();
        }
        else
        {
            // A capture that never ran has recorded nothing, and its file would make the next attempt fail.
            Writer?.Discard();
        }
    }
}
