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
    private Action<string>? _listeners;

    /// <summary>Adds a notice, unless there is one of the same cause.</summary>
    public void Add(string cause, string text)
    {
        Action<string>? listeners;
        lock (_gate)
        {
            if (!_causes.Add(cause))
            {
                return;
            }

            _texts.Add(text);
            listeners = _listeners;
        }

        listeners?.Invoke(text);
    }

    /// <summary>Whether there is no notice of this cause yet.</summary>
    public bool IsNew(string cause)
    {
        lock (_gate)
        {
            return !_causes.Contains(cause);
        }
    }

    /// <summary>Has somebody told of each notice once: of those that there are at once, of later ones on the capture's thread.</summary>
    public void Listen(Action<string> listener)
    {
        string[] earlier;
        lock (_gate)
        {
            earlier = [.. _texts];
            _listeners += listener;
        }

        Array.ForEach(earlier, listener);
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
