using Conntracker.Core.Feeds;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Requests the nftables ruleset, at first and whenever it has changed: on another thread, and only so often that constant changes do not load the
/// host.
/// </summary>
internal sealed class NftablesRules : IDisposable
{
    private static readonly long s_leastPause = TimeSpan.FromMilliseconds(20).Ticks;
    private static readonly long s_firstWait = TimeSpan.FromSeconds(30).Ticks;
    private static readonly long s_lastWait = TimeSpan.FromSeconds(5).Ticks;

    private readonly ITraceJoin _join;
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly NftRulesetReader _reader;
    private NftRulesetText? _text;
    private bool _isReading;
    private long _started;
    private long _next;

    /// <summary>Requests the current ruleset, and returns at once.</summary>
    /// <param name="program">The path of the program that lists it; null for the system's nft.</param>
    /// <param name="join">Shows whether the ruleset has changed.</param>
    /// <param name="sink">Gets the text.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set when a text was read.</param>
    public NftablesRules(string? program, ITraceJoin join, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _join = join;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _reader = new NftRulesetReader(program, wakeup.Set);
        Request();
    }

    /// <summary>Whether the first read has ended, even without success.</summary>
    public bool HasRead { get; private set; }

    /// <summary>When <see cref="Take"/> must run even if nothing has arrived: ticks of UTC.</summary>
    public long Due => _text is not null ? 0 : !_isReading && IsStale ? _next : long.MaxValue;

    private bool IsStale => _join.IsStale(RulesetKind.Nftables);

    /// <summary>Handles the text that was read, and requests another when the ruleset has changed since.</summary>
    /// <param name="isDrained">Whether everything that the kernel had reported by the last call was put since.</param>
    public void Take(bool isDrained)
    {
        if (_text is not null && isDrained)
        {
            // Changes that the text contains were reported before it.
            RulesetMessages.Put(_sink, RulesetKind.Nftables, _clock.Now, _text.Text);
            ReportHindrance(_text.Hindrance);
            if (_text.AnonymousError is string error)
            {
                _notices.Add("nftables-anonymous", $"Steps in anonymous chains (jump {{ … }}) have no text: {error}");
            }

            _text = null;
            HasRead = true;
        }

        bool hasText = _reader.TryTake(out NftRulesetText read);
        if (_isReading && (hasText || _reader.Error is not null))
        {
            _isReading = false;

            // At most a tenth of the time is spent on reading.
            _next = _clock.Now + Math.Max(s_leastPause, 10 * (_clock.Now - _started));
            if (hasText)
            {
                _text = read;
            }
            else
            {
                _notices.Add("nftables-rules", HasRead
                    ? $"Could not read the nftables ruleset after a change. Steps of new rules have no text: {_reader.Error}"
                    : $"Could not read the nftables ruleset. Steps have no text: {_reader.Error}");
                HasRead = true;
            }
        }

        if (!_isReading && _text is null && _clock.Now >= _next && IsStale)
        {
            Request();
        }
    }

    /// <summary>
    /// Waits until the rules of the last reports are read; longer for the first read, without which no report has a rule, but never without limit.
    /// </summary>
    public void Finish()
    {
        long end = _clock.Now + (HasRead ? s_lastWait : s_firstWait);
        _next = 0;
        do
        {
            Take(isDrained: true);
        }
        while (_text is not null || (_isReading && _clock.Now < end && Pause()));

        if (_isReading)
        {
            _notices.Add("nftables-last", "The capture ended before the nftables ruleset was read. Steps of new rules have no text.");
        }
    }

    /// <summary>Cancels a running read.</summary>
    public void Dispose() => _reader.Dispose();

    private static bool Pause()
    {
        Thread.Sleep(1);
        return true;
    }

    private void ReportHindrance(string? hindrance)
    {
        if (hindrance is not null)
        {
            _notices.Add(
                "nftables-program",
                $"The nftables ruleset is read in this process: {hindrance} With many rules, the capture stops for seconds "
                + "whenever a trace begins or ends during a reading, and events may be lost.");
        }
    }

    private void Request()
    {
        _isReading = true;
        _started = _clock.Now;
        RulesetMessages.PutRequest(_sink, RulesetKind.Nftables, _started);
        _reader.Request();
    }
}
