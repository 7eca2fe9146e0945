





using Conntracker.Core.Feeds;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Has the rules of iptables-legacy read whenever they have changed. The kernel tells of no change: the rules are compared before lines
/// are read, because a line names its rule by nothing but its position. Both is done beside the capture.
/// </summary>
internal sealed class IptablesRules : IDisposable
{
    private static readonly long s_firstWait = TimeSpan.FromSeconds(30).Ticks;
    private static readonly long s_lastWait = TimeSpan.FromSeconds(5).Ticks;

    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly IptablesComparer _comparer;
    private readonly IptablesRulesetReader _reader;
    private bool _isReading;
    private bool _isOutOfDate;

    /// <summary>Makes it; the first comparison has the rules read.</summary>
    /// <param name="comparison">Compares the rules, on another thread.</param>
    /// <param name="sink">Gets the texts.</param>
    /// <param name="notices">Gets what the user ought to know.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set when rules were compared, or there are texts to take.</param>
    public IptablesRules(IptablesComparison comparison, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _comparer = new IptablesComparer(comparison, clock, wakeup.Set);
        _reader = new IptablesRulesetReader(wakeup.Set);
    }

    /// <summary>Whether the rules were read once, however that went.</summary>
    public bool HasRead { get; private set; }

    /// <summary>Has the rules compared, and returns at once.</summary>
    /// <param name="mark">Lines before it have come, and wait for that.</param>
    /// <param name="isUrgent">Whether it must not be put off: the capture is about to end.</param>
    public void RequestCheck(long mark, bool isUrgent = false) => _comparer.Request(mark, isUrgent);

    /// <summary>Takes what a comparison has shown. When rules have changed, <see cref="Apply"/> is to follow.</summary>
    /// <returns>False when there is nothing new.</returns>
    public bool TryTakeCheck(out IptablesCheck check) => _comparer.TryTake(out check);

    /// <summary>Lines that are put after this passed the rules as a comparison has found them: they are read again when they have changed.</summary>
    public void Apply(in IptablesCheck check)
    {
        if (check.Error is not null)
        {
            _notices.Add("iptables-compare", $"Could not compare the rules of iptables-legacy. Steps may show rules from before a change: {check.Error}");
        }

        if (check.HasChanged4)
        {
            RulesetMessages.PutRequest(_sink, RulesetKind.Iptables, _clock.Now);
        }

        if (check.HasChanged6)
        {
            RulesetMessages.PutRequest(_sink, RulesetKind.Ip6tables, _clock.Now);
        }

        _isOutOfDate |= check.HasChanged4 || check.HasChanged6;
        Take();
    }

    /// <summary>Takes what was read.</summary>
    public void Take()
    {
        bool hasTexts = _reader.TryTake(out IptablesRulesetTexts texts);
        if (_isReading && (hasTexts || _reader.Error is not null))
        {
            _isReading = false;
            if (!hasTexts)
            {
                _notices.Add("iptables-rules", $"Could not read the rules of iptables-legacy: {_reader.Error}");
            }

            // Rules that have changed since are read once more before anything is concluded from them. Without text the positions stand.
            if (!_isOutOfDate)
            {
                HasRead = true;
                RulesetMessages.Put(_sink, RulesetKind.Iptables, _clock.Now, hasTexts ? texts.IPv4 ?? "" : "");
                RulesetMessages.Put(_sink, RulesetKind.Ip6tables, _clock.Now, hasTexts ? texts.IPv6 ?? "" : "");
            }
        }

        if (_isOutOfDate && !_isReading)
        {
            _isReading = true;
            _isOutOfDate = false;
            _reader.Request();
        }
    }

    /// <summary>
    /// Waits until what was reported last can be told in words; longer for the first reading, without which nothing can be, but never
    /// without an end.
    /// </summary>
    public void Finish()
    {
        long end = _clock.Now + (HasRead ? s_lastWait : s_firstWait);
        Take();
        while (_isReading && _clock.Now < end)
        {
            Thread.Sleep(1);
            Take();
        }
    }

    /// <summary>Ends what goes on.</summary>
    public void Dispose()
    {
        _comparer.Dispose();
        _reader.Dispose();
    }
}
