using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class SeveralCapturesTests
{
    private const int ServerPort = 5000;

    [Fact]
    public void Two_captures_in_one_process_see_the_same_and_one_goes_on_when_the_other_stops()
    {
        using TestNamespace host = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, IPAddress.Loopback, ServerPort);
        using LiveCapture first = LiveCapture.Start(host);
        using LiveCapture second = LiveCapture.Start(host);
        Assert.Equal(["table inet conntracker", "table inet conntracker_2"], Tables(host));

        Speak(host, 40001);
        foreach (LiveCapture each in (LiveCapture[])[first, second])
        {
            Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(each.Capture));
            Assert.Single(each.Flows);
        }

        first.Stop();
        Assert.Equal(["table inet conntracker_2"], Tables(host));
        Speak(host, 40002);
        Eventually.Equal(() => 2, () => second.Flows.Count);
        Assert.Single(first.Flows);

        second.Stop();
        Assert.Empty(Tables(host));
    }

    [Fact]
    public void Captures_of_two_processes_see_the_same_and_one_goes_on_when_the_other_is_killed()
    {
        using TestNamespace host = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, IPAddress.Loopback, ServerPort);
        using CommandLine first = new();
        using CommandLine second = new();
        using Tool killed = first.Start(host);
        using Tool living = second.Start(host);
        Assert.Equal(["table inet conntracker", "table inet conntracker_2"], Tables(host));

        Speak(host, 40001);
        IPEndPoint before = new(IPAddress.Loopback, 40001);
        first.WaitForFlow(killed, before);
        Eventually.Equal(() => first.WriteLog(killed), () => second.WriteLog(living));

        killed.End("KILL");
        Eventually.Equal(() => "table inet conntracker_2", () => string.Join('\n', Tables(host)));
        Speak(host, 40002);
        second.WaitForFlow(living, new IPEndPoint(IPAddress.Loopback, 40002));

        Assert.Equal(0, living.End("TERM").ExitCode);
        Assert.Empty(Tables(host));
    }

    [Fact]
    public void Captures_that_start_and_stop_at_the_same_moment_do_not_get_in_each_others_way()
    {
        const int Count = 8;
        using TestNamespace host = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, IPAddress.Loopback, ServerPort);
        for (int round = 0; round < 3; round++)
        {
            LiveCapture[] captures = AtOnce(Count, _ => LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Accounting = true }));
            try
            {
                Assert.Equal(Count, Tables(host).Length);
                Speak(host, 40001 + round);
                foreach (LiveCapture each in captures)
                {
                    Eventually.Equal(() => ConntrackEntry.List(host, counters: true), () => ConntrackEntry.ListOpen(each.Capture, counters: true));
                    Assert.Equal(round + 1, each.Flows.Count);
                }
            }
            finally
            {
                AtOnce(Count, i =>
                {
                    captures[i].Dispose();
                    return true;
                });
            }

            Assert.Empty(Tables(host));
            Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
        }
    }

    [Fact]
    public void A_name_that_is_free_again_is_taken_by_the_next_capture()
    {
        using TestNamespace host = new();
        using LiveCapture first = LiveCapture.Start(host);
        using LiveCapture second = LiveCapture.Start(host);
        first.Stop();

        using LiveCapture third = LiveCapture.Start(host);

        Assert.Equal(["table inet conntracker", "table inet conntracker_2"], Tables(host));
    }

    [Fact]
    public void A_table_of_the_users_that_has_our_name_is_left_alone()
    {
        using TestNamespace host = new();
        host.LoadRules("table inet conntracker { comment \"of the users\"; }");
        string before = host.Run("nft", "-a", "list", "table", "inet", "conntracker");

        using (LiveCapture live = LiveCapture.Start(host))
        {
            Assert.Equal(["table inet conntracker", "table inet conntracker_2"], Tables(host));
            Assert.Equal(before, host.Run("nft", "-a", "list", "table", "inet", "conntracker"));
        }

        Assert.Equal(before, host.Run("nft", "-a", "list", "ruleset"));
    }

    private static T[] AtOnce<T>(int count, Func<int, T> act)
    {
        using Barrier barrier = new(count);
        Task<T>[] tasks = [.. Enumerable.Range(0, count).Select(i => Task.Factory.StartNew(
            () =>
            {
                barrier.SignalAndWait();
                return act(i);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        return Task.WhenAll(tasks).GetAwaiter().GetResult();
    }

    private static string[] Tables(TestNamespace host) =>
        [.. host.Run("nft", "list", "tables").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private static void Speak(TestNamespace host, int port) =>
        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, port), new IPEndPoint(IPAddress.Loopback, ServerPort));
}
