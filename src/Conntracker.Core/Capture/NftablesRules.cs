using Conntracker.Core.Firewall;
using Conntracker.Core.Sources;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Capture;

/// <summary>Has the nftables ruleset read whenever it has changed: not more often than a host can bear that changes it all the time.</summary>
internal sealed class NftablesRules : IDisposable
{
    private static readonly long s_leastPause = TimeSpan.FromMilliseconds(20).Ticks;
    private static readonly TimeSpan s_lastWait = TimeSpan.FromSeconds(5);

    private readonly ITraceJoin _join;
    private readonly FrameSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly NftRulesetReader _reader;
    private bool _isReading;
    private long _started;
    private long _next;

    /// <summary>Reads the ruleset as it is now.</summary>
    public NftablesRules(ITraceJoin join, FrameSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _join = join;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _reader = new NftRulesetReader(wakeup.Set);
        try
        {
            RulesetFrames.PutRequest(sink, RulesetKind.Nftables, clock.Now);
            RulesetFrames.Put(sink, RulesetKind.Nftables, clock.Now, NftRulesetReader.Read());
        }
        catch
        {
            _reader.Dispose();
            throw;
        }
    }

    /// <summary>When <see cref="Take"/> has something to do though nothing came: ticks of UTC.</summary>
    public long Due => !_isReading && IsStale ? _next : long.MaxValue;

    private bool IsStale => _join.IsStale(RulesetKind.Nftables);

    /// <summary>Takes what was read, and has it read again when it has changed since.</summary>
    public void Take()
    {
        bool hasText = _reader.TryTake(out string text);
        if (_isReading && (hasText || _reader.Error is not null))
        {
            _isReading = false;

            // A tenth of the time at most is spent on reading.
            _next = _clock.Now + Math.Max(s_leastPause, 10 * (_clock.Now - _started));
            if (hasText)
            {
                RulesetFrames.Put(_sink, RulesetKind.Nftables, _clock.Now, text);
            }
            else
            {
                _notices.Add("nftables-rules", $"The nftables ruleset could not be read again after a change, and steps of new rules have no text: {_reader.Error}");
            }
        }

        if (!_isReading && _clock.Now >= _next && IsStale)
        {
            Request();
        }
    }

    /// <summary>Waits until what was reported last can be told in words.</summary>
    public void Finish()
    {
        long end = _clock.Now + s_lastWait.Ticks;
        _next = 0;
        do
        {
            Take();
        }
        while (_isReading && _clock.Now < end && Pause());
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static bool Pause()
    {
        Thread.Sleep(1);
        return true;
    }

    private void Request()
    {
        _isReading = true;
        _started = _clock.Now;
        RulesetFrames.PutRequest(_sink, RulesetKind.Nftables, _started);
        _reader.Request();
    }
}
