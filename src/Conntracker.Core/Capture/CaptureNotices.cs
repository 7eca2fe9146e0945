namespace Conntracker.Core.Capture;

/// <summary>
/// What a user ought to know of a capture that goes on: once per cause, in the order in which it came up. Written by the capture's
/// thread, read by any.
/// </summary>
internal sealed class CaptureNotices
{
    private readonly Lock _gate = new();
    private readonly List<string> _texts = [];
    private readonly HashSet<string> _causes = [];

    /// <summary>Raised for each new notice, on the capture's thread.</summary>
    public event Action<string>? Added;

    /// <summary>Adds a notice, unless there is one of the same cause.</summary>
    public void Add(string cause, string text)
    {
        lock (_gate)
        {
            if (!_causes.Add(cause))
            {
                return;
            }

            _texts.Add(text);
        }

        Added?.Invoke(text);
    }

    /// <summary>All notices so far.</summary>
    public IReadOnlyList<string> All()
    {
        lock (_gate)
        {
            return [.. _texts];
        }
    }
}
