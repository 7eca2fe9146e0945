using Conntracker.Core.Firewall;
using Conntracker.Core.Sources;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Capture;

/// <summary>
/// Has the rules of iptables-legacy read whenever they have changed. The kernel tells of no change: a number over all rules is compared
/// before each reading of lines, because a line names its rule by nothing but its position.
/// </summary>
internal sealed class IptablesRules : IDisposable
{
    // Many rules take long to compare: no more than a twentieth of the time is spent on that, unless lines would wait too long.
    private const int Share = 20;

    private static readonly long s_leastInterval = TimeSpan.FromMilliseconds(0.5).Ticks;
    private static readonly long s_mostInterval = TimeSpan.FromMilliseconds(5).Ticks;
    private static readonly TimeSpan s_lastWait = TimeSpan.FromSeconds(5);
    private static readonly (RulesetKind Kind, FlowFamily Family)[] s_rulesets = [(RulesetKind.Iptables, FlowFamily.IPv4), (RulesetKind.Ip6tables, FlowFamily.IPv6)];

    private readonly FrameSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly IptablesRulesetReader _reader;
    private readonly ulong?[] _fingerprints = new ulong?[s_rulesets.Length];
    private long _lastCheck;
    private long _interval;
    private bool _isReading;
    private bool _isOutOfDate;

    /// <summary>Makes it; the first <see cref="Check"/> reads.</summary>
    public IptablesRules(FrameSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _reader = new IptablesRulesetReader(wakeup.Set);
    }

    /// <summary>From when on <see cref="Check"/> compares again: ticks of UTC.</summary>
    public long NextCheck => _lastCheck + _interval;

    /// <summary>Has the rules read again when they are not what they were.</summary>
    /// <returns>False when they were compared a moment ago, and are not now.</returns>
    public bool Check()
    {
        if (_clock.Now < NextCheck)
        {
            return false;
        }

        _lastCheck = _clock.Now;
        for (int i = 0; i < s_rulesets.Length; i++)
        {
            ulong? fingerprint = IptablesFingerprint.Read(s_rulesets[i].Family);
            if (fingerprint != _fingerprints[i])
            {
                _fingerprints[i] = fingerprint;
                _isOutOfDate = true;
                RulesetFrames.PutRequest(_sink, s_rulesets[i].Kind, _lastCheck);
            }
        }

        _interval = Math.Clamp((_clock.Now - _lastCheck) * Share, s_leastInterval, s_mostInterval);
        Take();
        return true;
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

            // Rules that have changed meanwhile are read once more before anything is concluded from them. Without text the positions stand.
            if (!_isOutOfDate)
            {
                RulesetFrames.Put(_sink, RulesetKind.Iptables, _clock.Now, hasTexts ? texts.IPv4 ?? "" : "");
                RulesetFrames.Put(_sink, RulesetKind.Ip6tables, _clock.Now, hasTexts ? texts.IPv6 ?? "" : "");
            }
        }

        if (_isOutOfDate && !_isReading)
        {
            _isReading = true;
            _isOutOfDate = false;
            _reader.Request();
        }
    }

    /// <summary>Waits until what was reported last can be told in words.</summary>
    public void Finish()
    {
        long end = _clock.Now + s_lastWait.Ticks;
        Take();
        while (_isReading && _clock.Now < end)
        {
            Thread.Sleep(1);
            Take();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();
}
