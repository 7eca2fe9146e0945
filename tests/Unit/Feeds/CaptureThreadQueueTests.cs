using Conntracker.Core.Feeds;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Ctrl+C ends a cmdlet that waits for a capture's thread, and no cmdlet waits for an answer that never comes.</summary>
public sealed class CaptureThreadQueueTests : IDisposable
{
    private readonly Wakeup _wakeup = new();
    private readonly CaptureThreadQueue _queue;

    public CaptureThreadQueueTests() => _queue = new CaptureThreadQueue(_wakeup);

    public void Dispose() => _wakeup.Dispose();

    [Fact]
    public async Task Work_is_done_on_the_thread_that_runs_the_queue_and_its_result_is_returned()
    {
        Task<int> call = Task.Run(() => _queue.Invoke(() => Environment.CurrentManagedThreadId, CancellationToken.None));
        int thread = RunUntil(call);
        Assert.Equal(thread, await call);
    }

    [Fact]
    public async Task Whatever_the_work_throws_the_caller_gets()
    {
        Task<int> call = Task.Run(() => _queue.Invoke<int>(() => throw new InvalidDataException("no"), CancellationToken.None));
        RunUntil(call);
        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidDataException>(() => call)).Message);
    }

    [Fact]
    public async Task A_caller_that_is_cancelled_stops_waiting_and_its_work_is_not_done()
    {
        using CancellationTokenSource cancelled = new();
        bool isDone = false;
        Task<bool> call = Task.Run(() => _queue.Invoke(() => isDone = true, cancelled.Token));
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        _queue.Run();
        Assert.False(isDone);
    }

    [Fact]
    public void After_the_end_work_is_refused_at_once()
    {
        _queue.End();
        Assert.Throws<ObjectDisposedException>(() => _queue.Invoke(() => 1, CancellationToken.None));
    }

    private int RunUntil(Task call)
    {
        int thread = 0;
        Thread capture = new(() =>
        {
            thread = Environment.CurrentManagedThreadId;
            while (!call.IsCompleted)
            {
                _queue.Run();
                Thread.Yield();
            }
        });
        capture.Start();
        capture.Join();
        return thread;
    }
}
