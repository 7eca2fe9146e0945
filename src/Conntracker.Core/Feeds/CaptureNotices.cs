using Conntracker.Core.Feeds;

namespace Conntracker;

/// <summary>
/// Notices for the user about a running capture: one per cause, in the order in which they came up. Written by the capture's
/// thread, read by any.
/// </summary>
public sealed class CaptureNotices
{
    private readonly Lock _lock = new();
    private readonly List<string> _texts = [];
    private readonly HashSet<string> _causes = [];
    private readonly List<NoticeListener> _listeners = [];

    /// <summary>Adds a notice, unless there is one for the same cause.</summary>
    internal void Add(string cause, string text)
    {
        lock (_lock)
        {
            if (_causes.Add(cause))
            {
                _texts.Add(text);
                _listeners.ForEach(each => each.Put(text));
            }
        }
    }

    /// <summary>Whether there is no notice for this cause yet.</summary>
    internal bool IsNew(string cause)
    {
        lock (_lock)
        {
            return !_causes.Contains(cause);
        }
    }

    /// <summary>
    /// Calls a listener with each notice once, in order, on a separate thread: a blocked terminal does not block the capture.
    /// </summary>
    public void Listen(Action<string> listener)
    {
        lock (_lock)
        {
            NoticeListener added = new(listener);
            _texts.ForEach(added.Put);
            _listeners.Add(added);
        }
    }

    /// <summary>Waits until the listeners have received all notices so far. They are not called again.</summary>
    /// <param name="patience">The longest wait for each listener.</param>
    public void EndListening(TimeSpan patience)
    {
        NoticeListener[] listeners;
        lock (_lock)
        {
            listeners = [.. _listeners];
            _listeners.Clear();
        }

        Array.ForEach(listeners, each => each.End(patience));
    }

    /// <summary>All notices so far.</summary>
    public IReadOnlyList<string> All()
    {
        lock (_lock)
        {
            return [.. _texts];
        }
    }
}
