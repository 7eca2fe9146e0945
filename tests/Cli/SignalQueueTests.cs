using Conntracker.Cli;
using Xunit;
using static Tmds.Linux.LibC;

namespace Conntracker.Tests.Cli;

/// <summary>
/// Signals that the tests' own process gets. SIGINT would end the test run as well, so the live tests send it to the program.
/// </summary>
public sealed class SignalQueueTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGHUP")]
    public async Task A_signal_to_end_cancels_a_start_and_is_the_next_request(string name)
    {
        using SignalQueue signals = new();
        CancellationToken stopping = signals.Stopping;
        Assert.False(stopping.IsCancellationRequested);

        Send(name == "SIGTERM" ? SIGTERM : SIGHUP);

        Assert.Equal(RunRequest.End, await TakeAsync(signals));
        Assert.True(stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task SIGUSR1_requests_the_log_as_often_as_it_comes_and_ends_nothing()
    {
        using SignalQueue signals = new();
        for (int time = 0; time < 3; time++)
        {
            Send(SIGUSR1);
            Assert.Equal(RunRequest.WriteLog, await TakeAsync(signals));
        }

        Assert.False(signals.Stopping.IsCancellationRequested);
    }

    [Fact]
    public void Requests_are_taken_in_the_order_in_which_they_were_put_and_the_end_of_a_capture_cancels_nothing()
    {
        using SignalQueue signals = new();
        signals.Put(RunRequest.WriteLog);
        signals.Put(RunRequest.End);
        signals.Put(RunRequest.WriteLog);
        Assert.Equal([RunRequest.WriteLog, RunRequest.End, RunRequest.WriteLog], [signals.Take(), signals.Take(), signals.Take()]);
        Assert.False(signals.Stopping.IsCancellationRequested);
    }

    [Fact]
    public void A_capture_that_ends_after_the_run_can_still_put_its_request()
    {
        SignalQueue signals = new();
        signals.Dispose();
        signals.Put(RunRequest.End);
        Assert.Equal(RunRequest.End, signals.Take());
    }

    private static void Send(int signal) => Assert.Equal(0, kill(getpid(), signal));

    private static Task<RunRequest> TakeAsync(SignalQueue signals) => Task.Run(signals.Take).WaitAsync(s_patience, TestContext.Current.CancellationToken);
}
