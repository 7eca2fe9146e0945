using Conntracker.Core.Feeds;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Compares the legacy rules with those of the previous comparison. Many rules take long to compare: at most a twentieth of the time is spent on it.
/// In between only their layout is read, which is cheap and shows most changes. Used on one thread.
/// </summary>
internal sealed class IptablesComparison
{
    private const int Share = 20;

    private static readonly long s_leastInterval = TimeSpan.FromMilliseconds(0.5).Ticks;
    private static readonly long s_layoutInterval = TimeSpan.FromMilliseconds(5).Ticks;
    private static readonly FlowFamily[] s_families = [FlowFamily.IPv4, FlowFamily.IPv6];

    private readonly Func<FlowFamily, ulong?> _readRules;
    private readonly Func<FlowFamily, ulong?> _readLayout;
    private readonly CaptureClock _clock;
    private readonly ulong?[] _rules = new ulong?[s_families.Length];
    private readonly ulong?[] _layouts = new ulong?[s_families.Length];
    private long _unmovedUpTo;
    private long _lastCost = long.MaxValue;
    private long _nextRules;
    private long _nextLayout;
    private bool _hasMoved;

    /// <param name="readRules">Reads a hash of a family's rules: <see cref="IptablesFingerprint.Read(FlowFamily)"/>.</param>
    /// <param name="readLayout">Reads a hash of their layout: <see cref="IptablesFingerprint.ReadLayout"/>.</param>
    /// <param name="clock">The capture's time.</param>
    public IptablesComparison(Func<FlowFamily, ulong?> readRules, Func<FlowFamily, ulong?> readLayout, CaptureClock clock)
    {
        _readRules = readRules;
        _readLayout = readLayout;
        _clock = clock;
    }

    /// <summary>When to compare next for lines that wait: ticks of <see cref="CaptureClock.Now"/>.</summary>
    public long Due => Math.Min(_nextRules, _nextLayout);

    /// <summary>Reads the layout of the rules, and compares all rules when it is time.</summary>
    /// <param name="mark">Lines before it have arrived.</param>
    /// <param name="isUrgent">Whether to compare at once, however long the last comparison took.</param>
    /// <returns>Null when the rules were not compared.</returns>
    public IptablesCheck? Compare(long mark, bool isUrgent)
    {
        long start = _clock.Now;
        Span<bool> haveChanged = stackalloc bool[s_families.Length];
        bool comparesRules = isUrgent || start >= _nextRules;
        for (int i = 0; i < s_families.Length; i++)
        {
            // First the layout: a change after this read is noticed the next time.
            ulong? layout = _readLayout(s_families[i]);
            _hasMoved |= layout != _layouts[i];
            if (comparesRules)
            {
                _layouts[i] = layout;
                ulong? rules = _readRules(s_families[i]);
                haveChanged[i] = rules != _rules[i];
                _rules[i] = rules;
            }
        }

        long cost = _clock.Now - start;
        if (!comparesRules)
        {
            _unmovedUpTo = _hasMoved ? _unmovedUpTo : mark;
            _nextLayout = start + Math.Max(s_layoutInterval, Share * cost);
            return null;
        }

        // The smaller of two costs: a thread that had to wait for a processor has not used it.
        _nextRules = start + Math.Max(s_leastInterval, Share * Math.Min(cost, _lastCost));
        _nextLayout = start + s_layoutInterval;
        _lastCost = cost;
        IptablesCheck check = new(haveChanged.Contains(true) && _hasMoved ? _unmovedUpTo : 0, mark, haveChanged[0], haveChanged[1]);
        _unmovedUpTo = mark;
        _hasMoved = false;
        return check;
    }
}
