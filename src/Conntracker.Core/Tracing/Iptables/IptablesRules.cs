using Conntracker.Core.Feeds;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Requests the rules of iptables-legacy whenever they have changed. The kernel does not report changes, and a line names its rule only by its
/// position: so the rules are compared before lines are read. Both are done on other threads.
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

    /// <summary>Starts; the first comparison requests the rules.</summary>
    /// <param name="comparison">Compares the rules, on another thread.</param>
    /// <param name="sink">Gets the texts.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set when rules were compared, or texts were read.</param>
    public IptablesRules(IptablesComparison comparison, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _comparer = new IptablesComparer(comparison, clock, wakeup.Set);
        _reader = new IptablesRulesetReader(wakeup.Set);
    }

    /// <summary>Whether the rules were read once, even without success.</summary>
    public bool HasRead { get; private set; }

    /// <summary>Requests a comparison, and returns at once.</summary>
    /// <param name="mark">Lines before it have arrived, and wait for the comparison.</param>
    /// <param name="isUrgent">Whether it must not be delayed: the capture is about to end.</param>
    public void RequestCheck(long mark, bool isUrgent = false) => _comparer.Request(mark, isUrgent);

    /// <summary>Takes the result of a comparison. When rules have changed, call <see cref="Apply"/> next.</summary>
    /// <returns>False when there is no new result.</returns>
    public bool TryTakeCheck(out IptablesCheck check) => _comparer.TryTake(out check);

    /// <summary>Applies the result of a comparison to the lines that are put after this: when rules have changed, they are read again.</summary>
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

    /// <summary>Handles the texts that were read.</summary>
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

            // Rules that have changed since are read once more before conclusions are drawn from them. Without text the positions remain.
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
    /// Waits until the rules of the last lines are read; longer for the first read, without which no line has a rule, but never without limit.
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

    /// <summary>Ends running reads and comparisons.</summary>
    public void Dispose()
    {
        _comparer.Dispose();
        _reader.Dispose();
    }
}
