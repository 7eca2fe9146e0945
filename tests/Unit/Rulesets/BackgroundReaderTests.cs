using System.Diagnostics;
using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Rules are read beside the capture: no request is missed, and a failure costs nothing that is known already.</summary>
public sealed class BackgroundReaderTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Requests_while_it_reads_mean_once_more_afterwards()
    {
        using SemaphoreSlim started = new(0);
        using SemaphoreSlim go = new(0);
        using SemaphoreSlim done = new(0);
        int readings = 0;
        using BackgroundReader<string> reader = new(
            "test",
            cancellation =>
            {
                started.Release();
                Assert.True(go.Wait(s_patience, cancellation));
                return $"{++readings}";
            },
            () => done.Release());
        Assert.False(reader.TryTake(out _));

        reader.Request();
        Assert.True(started.Wait(s_patience));
        reader.Request();
        reader.Request();
        go.Release(5);
        Assert.True(done.Wait(s_patience) && done.Wait(s_patience));

        Assert.True(reader.TryTake(out string text));
        Assert.Equal("2", text);
        Assert.False(reader.TryTake(out _));
        Assert.False(done.Wait(TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public void A_failure_is_told_and_the_next_reading_goes_on()
    {
        using SemaphoreSlim done = new(0);
        int readings = 0;
        using BackgroundReader<string> reader = new(
            "test",
            _ => ++readings == 2 ? throw new ConntrackException(ConntrackErrorReason.KernelRefused, "no") : "text",
            () => done.Release());
        foreach (string? error in (string?[])[null, "no", null])
        {
            reader.Request();
            Assert.True(done.Wait(s_patience));
            Assert.Equal(error, reader.Error);
            Assert.Equal(error is null, reader.TryTake(out _));
        }
    }

    [Fact]
    public void A_reading_that_goes_on_is_cancelled_at_the_end()
    {
        using SemaphoreSlim started = new(0);
        bool isCancelled = false;
        BackgroundReader<string> reader = new(
            "test",
            cancellation =>
            {
                started.Release();
                isCancelled = cancellation.WaitHandle.WaitOne(s_patience);
                cancellation.ThrowIfCancellationRequested();
                return "";
            },
            () => { });
        reader.Request();
        Assert.True(started.Wait(s_patience));

        reader.Dispose();

        Assert.True(isCancelled);
        Assert.False(reader.TryTake(out _));
    }

    [Fact]
    public void It_ends_at_once_when_nothing_is_read()
    {
        BackgroundReader<string> reader = new("test", _ => "", () => { });
        long started = Stopwatch.GetTimestamp();
        reader.Dispose();
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 3);
    }
}
