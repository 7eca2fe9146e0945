using System.Collections.Concurrent;

namespace Conntracker.Core.Feeds;

/// <summary>Work that other threads have done on a capture's thread, which alone may touch what it owns. Each caller waits for its result.</summary>
/// <param name="wakeup">Wakes the capture's thread.</param>
internal sealed class CaptureThreadQueue(Wakeup wakeup)
{
    private readonly ConcurrentQueue<Action> _queued = new();
    private volatile bool _hasEnded;

    /// <summary>Has work done on the capture's thread and returns its result. From any other thread.</summary>
    /// <param name="work">The work. What it throws, the caller gets.</param>
    /// <param name="cancellation">Stops waiting. Work that has not begun is not done; work that has begun is completed.</param>
    /// <exception cref="ObjectDisposedException">The capture has ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public T Invoke<T>(Func<T> work, CancellationToken cancellation)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _queued.Enqueue(() =>
        {
            try
            {
                ObjectDisposedException.ThrowIf(_hasEnded, this);
                cancellation.ThrowIfCancellationRequested();
                done.SetResult(work());
            }
#pragma warning disable CA1031 // The caller gets every exception: the capture continues, and no caller waits for an answer that never comes.
            catch (Exception error)
#pragma warning restore CA1031
            {
                done.SetException(error);
            }
        });
        if (_hasEnded)
        {
            // The capture's thread no longer looks into the queue.
            Run();
        }
        else
        {
            wakeup.Set();
        }

        return done.Task.WaitAsync(cancellation).GetAwaiter().GetResult();
    }

    /// <summary>Does what is queued. On the capture's thread.</summary>
    public void Run()
    {
        while (_queued.TryDequeue(out Action? work))
        {
            work();
        }
    }

    /// <summary>Refuses what is queued and all that comes later. On the capture's thread.</summary>
    public void End()
    {
        _hasEnded = true;
        Run();
    }
}
