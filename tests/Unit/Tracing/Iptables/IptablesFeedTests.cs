using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Lines of iptables-legacy wait until the rules were compared; the capture's thread does not.</summary>
public sealed class IptablesFeedTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _comparing = new(0);
    private readonly SemaphoreSlim _go = new(0);
    private readonly Wakeup _wakeup = new();
    private readonly CaptureNotices _notices = new();
    private readonly MessageLog _log = new();
    private readonly FakeLines _lines = new();
    private readonly IptablesFeed _feed;
    private ulong _rules = 1;

    public IptablesFeedTests()
    {
        CaptureClock clock = new();
        MessageSink sink = new(_log, recording: null);
        IptablesComparison comparison = new(Compare, _ => 0, clock);
        _feed = new IptablesFeed(
            new IptablesRules(comparison, sink, _notices, clock, _wakeup), () => true, () => new IptablesSource(_lines, lease: null), sink, _notices, clock);
        WaitAndLetGo();
        Expect("RulesetRequested:1");
    }

    public void Dispose()
    {
        _go.Release(1000);
        _feed.Dispose();
        _wakeup.Dispose();
        _comparing.Dispose();
        _go.Dispose();
    }

    [Fact]
    public void A_slow_comparison_does_not_hold_the_captures_thread_up_and_lines_wait_for_one_that_began_after_them()
    {
        _lines.Come(1);
        _feed.Take();
        Assert.True(_comparing.Wait(s_patience));
        _lines.Come(2);
        for (int turn = 0; turn < 3; turn++)
        {
            // These come back, though the comparison has not ended.
            Assert.False(_feed.Take());
        }

        Assert.Equal("RulesetRequested:1", Frames());
        _go.Release();
        Expect("RulesetRequested:1 Nflog:1");

        // The second line came while the rules were compared: it waits for the next time.
        Assert.True(_comparing.Wait(s_patience));
        Assert.Equal("RulesetRequested:1 Nflog:1", Frames());
        _go.Release();
        Expect("RulesetRequested:1 Nflog:1 Nflog:2");
    }

    [Fact]
    public void Lines_that_may_have_passed_other_rules_come_after_the_change()
    {
        _rules = 2;
        _lines.Come(1);
        _feed.Take();
        WaitAndLetGo();
        Expect("RulesetRequested:1 RulesetRequested:1 Nflog:1");
    }

    [Fact]
    public void At_the_end_no_line_is_left_behind()
    {
        _lines.Come(1);
        _lines.Come(2);
        _go.Release(1000);
        _feed.Finish();
        Assert.Equal("RulesetRequested:1 Nflog:1 Nflog:2", Frames());
        Assert.True(_feed.HasRules);
    }

    [Fact]
    public void Where_rules_cannot_be_compared_lines_are_shown_and_a_notice_says_so()
    {
        _rules = 0;
        _lines.Come(1);
        _feed.Take();
        WaitAndLetGo();
        Expect("RulesetRequested:1 Nflog:1");
        Assert.EndsWith("no memory", Assert.Single(_notices.All()), StringComparison.Ordinal);
    }

    private ulong? Compare(FlowFamily family)
    {
        if (family == FlowFamily.IPv6)
        {
            return null;
        }

        _comparing.Release();
        Assert.True(_go.Wait(s_patience));
        return _rules == 0 ? throw new InvalidOperationException("no memory") : _rules;
    }

    private void WaitAndLetGo()
    {
        Assert.True(_comparing.Wait(s_patience));
        _go.Release();
    }

    private void Expect(string frames) => Eventually.Equal(() => frames, () =>
    {
        _feed.Take();
        return Frames();
    });

    // The texts come from this machine.
    private string Frames() => _log.But(MessageKind.IptablesRuleset, MessageKind.Ip6tablesRuleset);
}
