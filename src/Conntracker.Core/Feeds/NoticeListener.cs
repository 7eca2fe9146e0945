using System.Collections.Concurrent;

namespace Conntracker.Core.Feeds;

/// <summary>Calls a listener with notices, on a separate thread. There is one notice per cause, so the queue stays short.</summary>
internal sealed class NoticeListener
{
    private readonly BlockingCollection<string> _queue = [];
    private readonly Thread _thread;

    /// <param name="listener">Is called with each notice.</param>
    public NoticeListener(Action<string> listener)
    {
        _thread = new Thread(() =>
        {
            foreach (string text in _queue.GetConsumingEnumerable())
            {
                try
                {
                    listener(text);
                }
                catch (IOException)
                {
                    // A listener that cannot write is no reason to end the process.
                }
            }
        })
        { IsBackground = true, Name = "conntracker notices" };
        _thread.Start();
    }

    /// <summary>Queues a notice, without waiting.</summary>
    public void Put(string text) => _queue.Add(text);

    /// <summary>Ends the thread, once every queued notice was passed on or the time is over.</summary>
    public void End(TimeSpan patience)
    {
        _queue.CompleteAdding();
        _thread.Join(patience);
    }
}
