using Conntracker.Core.Flows;

namespace Conntracker.Tests.Unit;

/// <summary>
/// What happens to a table that is much too small: flows are folded all the time, in which order is not looked at. Whatever was folded, nothing that was
/// seen is lost or counted twice. No event is lost; some ends come again, and a dump's answers come with events between them.
/// </summary>
internal sealed class FoldingHistory : IDisposable
{
    private const int Tuples = 20_000;
    private const int Limit = 256;

    private readonly Random _random;
    private readonly KernelModel _kernel;
    private readonly FlowTable _table = new(Limit);
    private readonly Queue<FlowUpdate> _answers = [];
    private bool _isDumping;
    private long _now = new DateTime(2026, 1, 1).Ticks;

    public FoldingHistory(int seed)
    {
        _random = new Random(seed);
        _kernel = new KernelModel(_random, Tuples);
    }

    /// <summary>How many flows were folded.</summary>
    public long Folded => _table.Folded;

    /// <inheritdoc/>
    public void Dispose() => _table.Dispose();

    /// <summary>One thing happens.</summary>
    public string? Step()
    {
        _now += _random.Next(3);

        // Mostly a hundred or two are open at a time; sometimes many more than there is room for.
        bool isCrowded = _kernel.Open.Count > (_now / 50_000 % 4 == 0 ? 2 * Limit : Limit / 2);
        return _random.Next(100) switch
        {
            < 40 => Apply(isCrowded ? _kernel.End() : _kernel.Begin()),
            < 65 => Apply(_kernel.Change()),
            < 96 => Apply(_kernel.End()),
            < 97 => Apply(_kernel.EndAgain()),
            _ => Dump(),
        };
    }

    /// <summary>Ends all connections, and says what is not as the kernel had it.</summary>
    public string? End()
    {
        while (_kernel.End() is FlowUpdate message)
        {
            Apply(message);
        }

        using FlowStore copy = _table.Copy();
        FlowCounters sum = default;
        for (int slot = 0; slot < copy.HighWater; slot++)
        {
            sum += copy[slot].IsUsed && (copy[slot].Flags & FlowFlags.Counted) != 0 ? copy.Counters(slot) : default;
        }

        return !sum.Equals(_kernel.Ended) ? $"there should be {_kernel.Ended.Packets} packets and are {sum.Packets}" : CompareAll();
    }

    /// <summary>Says which sum is not as the kernel has it; null when all are.</summary>
    public string? CompareAll()
    {
        long connections = 0;
        long open = 0;
        for (int slot = 0; slot < _table.SlotCount; slot++)
        {
            ref FlowRecord record = ref _table[slot];
            if (record.IsUsed)
            {
                connections += record.Connections;
                open += record.Folding != FlowFolding.None ? record.OpenConnections : record.IsClosed ? 0 : 1;
            }
        }

        return _table.Count > Limit ? $"there should be {Limit} flows at most and are {_table.Count}"
            : connections != _kernel.Connections ? $"there should be {_kernel.Connections} connections and are {connections}"
            : open != _kernel.Open.Count ? $"there should be {_kernel.Open.Count} open connections and are {open}"
            : null;
    }

    private string? Apply(FlowUpdate? happened)
    {
        if (happened is FlowUpdate message)
        {
            _table.Apply(in message, _now, out _);
        }

        return null;
    }

    private string? Dump()
    {
        if (!_isDumping)
        {
            if (_random.Next(20) == 0)
            {
                BeginDump();
            }

            return null;
        }

        for (int i = _random.Next(1, 100); i > 0 && _answers.TryDequeue(out FlowUpdate answer); i--)
        {
            Apply(answer);
        }

        if (_answers.Count > 0)
        {
            return null;
        }

        _isDumping = false;
        return _table.EndDump(_now) is > 0 and int closed ? $"a dump should have closed nothing and has closed {closed}" : null;
    }

    private void BeginDump()
    {
        _now++;
        Array.ForEach(_kernel.Dump(), _answers.Enqueue);
        _table.BeginDump(_now, showsEventless: false);
        _isDumping = true;
    }
}
