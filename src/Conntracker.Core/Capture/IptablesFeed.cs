using Conntracker.Core.Firewall;
using Conntracker.Core.Native;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// The TRACE lines of iptables-legacy, put into a sink together with the rules that they name. Opened once there are legacy tables: a
/// host without them is left as it is. They come through NFLOG group 0; where another program holds that, through the kernel's log.
/// </summary>
internal sealed class IptablesFeed : IDisposable
{
    private static readonly long s_lookInterval = TimeSpan.FromSeconds(1).Ticks;
    private static readonly TimeSpan s_lastLines = TimeSpan.FromMilliseconds(20);
    private static readonly long s_kernelLogInterval = TimeSpan.FromMilliseconds(50).Ticks;

    private readonly FrameSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly Wakeup _wakeup;
    private readonly NetworkNamespaceId _networkNamespace;
    private readonly IptablesRules _rules;
    private SettingsLease? _lease;
    private SettingsWatch? _loggerWatch;
    private NflogTap? _tap;
    private KernelLogSource? _kernelLog;
    private bool _isOpened;
    private bool _isWaiting;
    private long _nextLook;
    private long _lastTake;

    /// <summary>Makes a feed, and opens it when there are legacy tables.</summary>
    public IptablesFeed(FrameSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup, NetworkNamespaceId networkNamespace)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _wakeup = wakeup;
        _networkNamespace = networkNamespace;
        _rules = new IptablesRules(sink, notices, clock, wakeup);
        OpenWhenNeeded();
        _rules.Finish();
    }

    /// <summary>When <see cref="Take"/> has something to do though nothing came: ticks of UTC.</summary>
    public long Due => Math.Min(
        _loggerWatch?.Due ?? long.MaxValue,
        _isWaiting ? _rules.NextCheck : _kernelLog is not null ? _lastTake + s_kernelLogInterval : _isOpened ? long.MaxValue : _nextLook);

    /// <summary>Takes what is there; true when there was something.</summary>
    public bool Take()
    {
        OpenWhenNeeded();
        _loggerWatch?.Take();
        _rules.Take();
        _lastTake = _clock.Now;
        bool hasTaken = false;
        TakeNflog(ref hasTaken);
        while (_kernelLog is not null && _kernelLog.TryRead(out ReadOnlySpan<byte> line))
        {
            hasTaken = true;
            _rules.Check();
            _sink.Put(FrameKind.KernelLog, _clock.Now, line);
        }

        CountLost();
        if (_tap?.Error is Exception error)
        {
            _notices.Add("nflog-error", $"TRACE lines of iptables-legacy can no longer be read: {error.Message}");
        }

        return hasTaken;
    }

    /// <summary>Takes what is there, and waits until it can be told in words.</summary>
    public void Finish()
    {
        // What was logged before now may still be on its way to the tap; longer than lines wait for the rules to be compared.
        Thread.Sleep(_tap is null ? TimeSpan.Zero : s_lastLines);
        Take();
        _rules.Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tap?.Dispose();
        _kernelLog?.Dispose();
        _lease?.Dispose();
        _rules.Dispose();
    }

    // A line is taken only when the rules were compared after it had come: what passed a new rule must not be told of the old one.
    private void TakeNflog(ref bool hasTaken)
    {
        _isWaiting = false;
        while (_tap is not null && _tap.End is long end && _tap.HasBefore(end))
        {
            if (!_rules.Check())
            {
                _isWaiting = true;
                return;
            }

            while (_tap.HasBefore(end) && _tap.TryRead(out ReadOnlySpan<byte> datagram))
            {
                hasTaken = true;
                _sink.Put(FrameKind.Nflog, _clock.Now, datagram);
                _tap.Release();
            }
        }
    }

    private void OpenWhenNeeded()
    {
        if (_clock.Now < _nextLook)
        {
            return;
        }

        _nextLook = _clock.Now + s_lookInterval;
        if (!_isOpened && IptablesTables.Names(FlowFamily.IPv4).Length + IptablesTables.Names(FlowFamily.IPv6).Length > 0)
        {
            _isOpened = true;
            _rules.Check();
            Open();
            _loggerWatch = _lease is null ? null : new SettingsWatch(_lease, "Rules of iptables-legacy are no longer traced", _notices, _clock);
        }
    }

    private void Open()
    {
        try
        {
            _tap = NflogHub.Attach(_networkNamespace, _wakeup);
            _lease = PacketLoggerLease.Acquire(PacketLogger.Nflog, _networkNamespace);
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.NflogBusy)
        {
            OpenKernelLog(error.Message);
        }
        catch (ConntrackException error)
        {
            _tap?.Dispose();
            _tap = null;
            _notices.Add("nflog", $"Rules of iptables-legacy are not traced: {error.Message}");
        }
    }

    private void OpenKernelLog(string reason)
    {
        try
        {
            _kernelLog = new KernelLogSource();
            _lease = PacketLoggerLease.Acquire(PacketLogger.KernelLog, _networkNamespace);
            _notices.Add("nflog", $"{reason} The kernel log is read instead (/dev/kmsg). It is slower, it has no lines of other network namespaces unless net.netfilter.nf_log_all_netns is 1, its other readers see the lines as well, and the program that uses the group gets no TRACE lines while the capture runs.");
        }
        catch (ConntrackException error)
        {
            // What others have logged there is none of this capture's.
            _kernelLog?.Dispose();
            _kernelLog = null;
            _notices.Add("nflog", $"Rules of iptables-legacy are not traced: {reason} The kernel log cannot be read either: {error.Message}");
        }
    }

    private void CountLost()
    {
        long lost = (_tap?.TakeLost() ?? 0) + (_kernelLog?.TakeLost() ?? 0);
        if (lost > 0)
        {
            _sink.PutNumber(FrameKind.IptablesTraceLost, _clock.Now, lost);
            _notices.Add("nflog-lost", "More packets passed iptables-legacy rules than could be read. Steps of some flows are missing. Trace selected flows instead of all flows.");
        }
    }
}
