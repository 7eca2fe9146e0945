using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What a user ought to know reaches the user, and never holds the capture up.</summary>
public class CaptureNoticesTests
{
    [Fact]
    public void A_listener_is_called_with_each_notice_once_and_in_order()
    {
        CaptureNotices notices = new();
        List<string> heard = [];
        notices.Add("a", "first");
        notices.Listen(heard.Add);
        notices.Add("b", "second");
        notices.Add("a", "first again");
        notices.EndListening(TimeSpan.FromSeconds(20));
        Assert.Equal(["first", "second"], heard);
        notices.Add("c", "too late");
        Assert.Equal(["first", "second"], heard);
        Assert.Equal(["first", "second", "too late"], notices.All());
    }

    [Fact]
    public void A_listener_that_stalls_as_a_full_pipe_does_holds_nobody_up()
    {
        CaptureNotices notices = new();
        using ManualResetEventSlim goesOn = new();
        List<string> heard = [];
        notices.Listen(text =>
        {
            goesOn.Wait();
            heard.Add(text);
        });
        Thread capture = new(() =>
        {
            notices.Add("a", "first");
            notices.Add("b", "second");
        });
        capture.Start();
        Assert.True(capture.Join(TimeSpan.FromSeconds(20)), "The capture waits for the listener.");
        goesOn.Set();
        notices.EndListening(TimeSpan.FromSeconds(20));
        Assert.Equal(["first", "second"], heard);
    }
}
