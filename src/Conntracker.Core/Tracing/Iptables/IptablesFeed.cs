using Conntracker.Core.Feeds;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Puts the TRACE lines of iptables-legacy into a sink, with the rules that they name. Opened once there are legacy tables: a host without them is
/// not changed. The lines come through NFLOG group 0 or, where that is not available, through the kernel's log.
/// </summary>
internal sealed class IptablesFeed : IDisposable
{
    private static readonly long s_lookInterval = TimeSpan.FromSeconds(1).Ticks;
    private static readonly TimeSpan s_lastLines = TimeSpan.FromMilliseconds(20);
    private static readonly long s_lastWait = TimeSpan.FromSeconds(5).Ticks;

    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly IptablesRules _rules;
    private readonly Func<bool> _hasTables;
    private readonly Func<IptablesSource?> _open;
    private IptablesSource? _source;
    private SettingsFeed? _loggerFeed;
    private bool _isOpened;
    private bool _isFinishing;
    private long _nextLook;
    private long _lastTake;

    /// <summary>Opens the feed when there are legacy tables.</summary>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set by the threads that read.</param>
    /// <param name="networkNamespace">The calling thread's network namespace.</param>
    public IptablesFeed(MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup, NetworkNamespaceId networkNamespace)
        : this(
            new IptablesRules(new IptablesComparison(IptablesFingerprint.Read, IptablesFingerprint.ReadLayout, clock), sink, notices, clock, wakeup),
            () => IptablesTables.Names(FlowFamily.IPv4).Length + IptablesTables.Names(FlowFamily.IPv6).Length > 0,
            () => IptablesSource.Open(networkNamespace, wakeup, notices),
            sink,
            notices,
            clock)
    {
    }

    /// <summary>Opens the feed when there are legacy tables.</summary>
    /// <param name="rules">The rules; disposed with the feed.</param>
    /// <param name="hasTables">Whether there are legacy tables.</param>
    /// <param name="open">Opens the source; null when there is none.</param>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    public IptablesFeed(
        IptablesRules rules, Func<bool> hasTables, Func<IptablesSource?> open, MessageSink sink, CaptureNotices notices, CaptureClock clock)
    {
        _rules = rules;
        _hasTables = hasTables;
        _open = open;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        OpenWhenNeeded();
    }

    /// <summary>Whether the rules were read for the first time, even without success; true when there are none.</summary>
    public bool HasRules => !_isOpened || _rules.HasRead;

    /// <summary>When <see cref="Take"/> must run even if nothing has arrived: ticks of UTC.</summary>
    public long Due => Math.Min(
        _loggerFeed?.Due ?? long.MaxValue,
        _source?.Lines.Interval is TimeSpan interval ? _lastTake + interval.Ticks : _isOpened ? long.MaxValue : _nextLook);

    /// <summary>Handles the received lines; true when there were any.</summary>
    public bool Take()
    {
        OpenWhenNeeded();
        _loggerFeed?.Receive();
        _rules.Take();
        _lastTake = _clock.Now;
        bool hasSent = ReceiveLines();
        if (_source is not null)
        {
            CountLost(_source.Lines);
        }

        if (_source?.Lines.Error is Exception error)
        {
            _notices.Add("nflog-error", $"TRACE lines of iptables-legacy can no longer be read: {error.Message}");
        }

        return hasSent;
    }

    /// <summary>Handles the received lines, and waits until the texts of their rules are read.</summary>
    public void Finish()
    {
        // Lines logged before now may still be on their way to the subscriber.
        Thread.Sleep(_source is null ? TimeSpan.Zero : s_lastLines);
        _isFinishing = true;
        Take();
        if (_source?.Lines is IIptablesLines lines)
        {
            long end = lines.End;
            long deadline = _clock.Now + s_lastWait;
            while (lines.HasBefore(end) && _clock.Now < deadline)
            {
                Thread.Sleep(1);
                Take();
            }

            // Lines with the rules known so far are better than none.
            _ = SendLines(lines, end);
        }

        _rules.Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source?.Dispose();
        _rules.Dispose();
    }

    // A line is sent only when the rules were compared after it arrived: a packet that met a new rule must not show the old one.
    private bool ReceiveLines()
    {
        bool hasSent = false;
        while (_rules.TryTakeCheck(out IptablesCheck check))
        {
            hasSent |= _source is not null && SendLines(_source.Lines, check.Before);
            _rules.Apply(in check);
            hasSent |= _source is not null && SendLines(_source.Lines, check.Mark);
        }

        if (_source?.Lines is IIptablesLines lines)
        {
            lines.Receive();
            long end = lines.End;
            if (lines.HasBefore(end))
            {
                _rules.RequestCheck(end, _isFinishing);
            }
        }

        return hasSent;
    }

    private bool SendLines(IIptablesLines lines, long end)
    {
        bool hasSent = false;
        while (lines.HasBefore(end) && lines.TryRead(out ReadOnlySpan<byte> line))
        {
            hasSent = true;
            _sink.Put(lines.Kind, _clock.Now, line);
            lines.Release();
        }

        return hasSent;
    }

    private void OpenWhenNeeded()
    {
        if (_clock.Now < _nextLook)
        {
            return;
        }

        _nextLook = _clock.Now + s_lookInterval;
        if (!_isOpened && _hasTables())
        {
            _isOpened = true;
            _rules.RequestCheck(0);
            _source = _open();
            _loggerFeed = _source?.Lease is SettingsLease lease
                ? new SettingsFeed(lease, "Rules of iptables-legacy are no longer traced", _notices, _clock)
                : null;
        }
    }

    private void CountLost(IIptablesLines lines)
    {
        long lost = lines.TakeLost();
        if (lost > 0)
        {
            _sink.PutNumber(MessageKind.IptablesTraceLost, _clock.Now, lost);
            _notices.Add(
                "nflog-lost",
                "More packets passed iptables-legacy rules than could be read. Steps of some flows are missing. Trace selected flows instead of all flows.");
        }
    }
}
