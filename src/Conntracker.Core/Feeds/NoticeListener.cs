using System.Collections.Concurrent;

namespace Conntracker.Core.Feeds;

/// <summary>Calls somebody with notices, on a thread of its own. Notices come once for each cause, so the queue stays short.</summary>
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
                    // Nobody reads what a listener writes: no reason to end the process.
                }
            }
        })
        { IsBackground = true, Name = "conntracker notices" };
        _thread.Start();
    }

    /// <summary>Puts a notice into the queue, without waiting.</summary>
    public void Put(string text) => _queue.Add(text);

    /// <summary>Ends, once everything that was put has been passed on or the time is over.</summary>
    public void End(TimeSpan patience)
    {
        _queue.CompleteAdding();
        _thread.Join(patience);
    }
}
