using Conntracker.Core.Rulesets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>However long a ruleset takes to be read, the capture goes on: events are taken, traces begin and end, and texts come later.</summary>
public sealed class RulesetReadingTests
{
    private const string Rules = """
        table inet firewall {
          chain forward { type filter hook forward priority filter; udp dport 7000 drop; }
        }
        """;

    private const string WithText = """
        Dropped: inet firewall forward #1: udp dport 7000 drop
        1 inet firewall forward Rule 1 drop: udp dport 7000 drop
        """;

    private const FlowFamily Family = FlowFamily.IPv4;

    [Fact]
    public void While_a_ruleset_is_read_events_are_taken_and_traces_begin_and_end()
    {
        using TestNetwork network = Load();
        using SlowNft nft = new();
        using LiveCapture live = Start(network, nft.Program, TraceMode.None);

        // Each of these is done by the capture's thread: were it waiting for the reading, none would come back before the release.
        (FlowTrace trace, _) = live.Capture.EnableTrace(Datagrams(7000), TimeSpan.FromMinutes(1));
        nft.WaitUntilStarted();
        (FlowTrace other, _) = live.Capture.EnableTrace(Datagrams(7001), TimeSpan.FromMinutes(1));
        Assert.True(live.Capture.DisableTrace(other.Id));
        using LiveCapture beside = Start(network, null, TraceMode.None);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(Family, 40000), TracedNetwork.ServerAt(Family, 7000));
        Eventually.Equal(() => (1L, 1L), () => live.Capture.GetTraces().Where(each => each.Id == trace.Id).Select(each => (each.Packets, each.Steps)).Single());
        TraceText.Expect(live, 40000, "Dropped: inet firewall forward handle 2\n1 inet firewall forward Rule ? drop");
        nft.AssertReading();

        nft.Release();
        TraceText.Expect(live, 40000, WithText);
        Assert.Empty(live.Notices);
    }

    [Fact]
    public void The_end_of_a_short_capture_waits_for_the_first_reading()
    {
        using TestNetwork network = Load();
        using SlowNft nft = new();
        using LiveCapture live = Start(network, nft.Program, TraceMode.Flows);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(Family, 40000), TracedNetwork.ServerAt(Family, 7000));
        Eventually.Equal(() => 1, () => live.Flows.Count(each => each.SrcPort == 40000));
        nft.AssertReading();

        live.Capture.Session.RequestStop();
        nft.Release();
        live.Stop();

        Assert.Equal(WithText, TraceText.Of(live.Flows.Single(each => each.SrcPort == 40000)));
        Assert.Empty(live.Notices);
    }

    [Fact]
    public void Where_nft_cannot_be_run_the_rules_are_read_in_the_process_and_a_notice_says_so()
    {
        using TestNetwork network = Load();
        using LiveCapture live = Start(network, "/no-such-folder/nft", TraceMode.Flows);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(Family, 40000), TracedNetwork.ServerAt(Family, 7000));
        TraceText.Expect(live, 40000, WithText);
        const string Expected = "The nftables ruleset is read in this process: /no-such-folder/nft could not be run: ";
        Assert.StartsWith(Expected, Assert.Single(live.Notices), StringComparison.Ordinal);

        // As for a child that is not root, though this process may do what it needs.
        NftRulesetText text = network.Firewall.Do(() => NftRulesetReader.Read(ChildProgram.Find("false"), CancellationToken.None));
        Assert.Equal("udp dport 7000 drop", NftRuleset.Parse(text.Text).Find("inet", "firewall", "forward")!.Rules.Single().Text);
        Assert.EndsWith("false ended with 1: .", text.Hindrance, StringComparison.Ordinal);
        text = network.Firewall.Do(() => NftRulesetReader.Read(null, CancellationToken.None));
        Assert.Contains("udp dport 7000 drop", text.Text, StringComparison.Ordinal);
        Assert.StartsWith("nft is missing: ", text.Hindrance, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reading_that_nobody_waits_for_any_more_leaves_no_process()
    {
        using TestNetwork network = Load();
        using SlowNft nft = new();
        using ManualResetEventSlim done = new();
        using (NftRulesetReader reader = network.Firewall.Do(() => new NftRulesetReader(nft.Program, done.Set)))
        {
            reader.Request();
            nft.WaitUntilStarted();
            nft.AssertReading();
        }

        Assert.True(done.IsSet);
        nft.WaitUntilGone();
    }

    private static FlowQuery Datagrams(ushort port) => new() { Protocols = [Udp], DstPorts = [new PortRange(port, port)] };

    private static TestNetwork Load()
    {
        TestNetwork network = new();
        network.Firewall.LoadRules(Rules);
        return network;
    }

    private static LiveCapture Start(TestNetwork network, string? nft, TraceMode mode) =>
        LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = mode, NftProgram = nft });
}
