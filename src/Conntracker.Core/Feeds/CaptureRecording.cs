





using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>The recording of a capture that is under way, if there is to be one: its file lasts only when the capture has begun.</summary>
internal sealed class CaptureRecording : IDisposable
{
    private readonly CaptureNotices _notices;
    private bool _hasBegun;

    /// <summary>Makes the file.</summary>
    /// <param name="path">Its path; null for no recording.</param>
    /// <param name="notices">Gets what goes wrong later.</param>
    /// <param name="now">The time: ticks of UTC.</param>
    /// <param name="waits">Whether the source can wait for the disk.</param>
    /// <exception cref="ConntrackException">It cannot be made.</exception>
    public CaptureRecording(string? path, CaptureNotices notices, long now, bool waits = false)
    {
        _notices = notices;
        Writer = path is null ? null : RecordingWriter.Create(path, now, KernelName.Read(), waits: waits);
    }

    /// <summary>Writes it; null when there is none.</summary>
    public RecordingWriter? Writer { get; }

    /// <summary>The capture runs: from here on the file stays.</summary>
    public void Begin() => _hasBegun = true;

    /// <summary>Tells when writing has failed.</summary>
    public void Report()
    {
        if (Writer?.Failure is string failure)
        {
            _notices.Add("recording", failure);
        }

        if (Writer?.Lost > 0)
        {
            _notices.Add("recording-lost", "The disk was too slow for the recording. Messages are missing in it (RecordingLost counts them), but not in the capture.");
        }
    }

    /// <summary>The capture has ended well.</summary>
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
            // A capture that never ran has recorded nothing: its file would only stand in the way of the next try.
            Writer?.Discard();
        }
    }
}
