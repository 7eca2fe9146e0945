using Conntracker.Core.Flows;

namespace Conntracker.Tests.Unit;

/// <summary>
/// What happens to a table and to its model alike: events, of which some are lost and some ends come again, dumps with events between their answers, and
/// traced packets.
/// </summary>
internal sealed class FlowTableHistory : IDisposable
{
    private const int Tuples = 2000;

    // More than there are tuples: nothing is folded.
    private const int Limit = 4096;

    private readonly Random _random;
    private readonly KernelModel _kernel;
    private readonly FlowTable _table = new(Limit);
    private readonly FlowTableModel _model = new();
    private readonly int _lossPercent;
    private readonly Queue<FlowUpdate> _answers = [];
    private bool _isDumping;
    private bool _hasLost;
    private long _now = new DateTime(2026, 1, 1).Ticks;

    /// <summary>Begins a history.</summary>
    /// <param name="seed">Decides over everything.</param>
    /// <param name="lossPercent">How many of a hundred events are lost.</param>
    public FlowTableHistory(int seed, int lossPercent)
    {
        _random = new Random(seed);
        _kernel = new KernelModel(_random, Tuples);
        _lossPercent = lossPercent;
    }

    /// <summary>The key to tell about; null for none.</summary>
    public FlowKey? Watched { get; set; }

    /// <summary>What happened to the flow of that key, in order.</summary>
    public List<string> Told { get; } = [];

    /// <summary>The key of the last difference.</summary>
    public FlowKey Differing { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _table.Dispose();

    /// <summary>One thing happens. Says how table and model differ in what it touched; null when they do not.</summary>
    public string? Step()
    {
        _now += _random.Next(3);
        string? difference = _random.Next(100) switch
        {
            < 27 => Event(_kernel.Begin()),
            < 55 => Event(_kernel.Change()),
            < 65 => CountSilently(),
            < 82 => Event(_kernel.End()),
            < 83 => Event(_kernel.EndAgain()),
            < 85 => Trace(),
            _ => Dump(),
        };
        return difference;
    }

    /// <summary>Says how any flow differs; null when none does.</summary>
    public string? CompareAll()
    {
        using FlowStore copy = _table.Copy();
        foreach (FlowKey key in _model.Flows.Keys)
        {
            if (Compare(key, copy) is string difference)
            {
                return difference;
            }
        }

        int eventless = _model.Flows.Values.Count(each => each.IsEventless);
        return _table.Count != _model.Flows.Count ? $"there should be {_model.Flows.Count} flows and are {_table.Count}"
            : _table.Eventless != eventless ? $"there should be {eventless} flows without events and are {_table.Eventless}"
            : null;
    }

    /// <summary>
    /// Lets a whole dump come without an event between, and says what is not as the kernel has it: which connections are open, and, when nothing was
    /// lost, how many there were and what they counted.
    /// </summary>
    public string? CompareWithKernel()
    {
        AbandonDump();
        _now += 10;
        BeginDump();
        while (_answers.TryDequeue(out FlowUpdate answer))
        {
            Apply(in answer);
        }

        EndDump();
        HashSet<FlowKey> open = new(_kernel.Open.Select(each => each.Key), FlowKeyComparer.Instance);
        foreach ((FlowKey key, ModelFlow flow) in _model.Flows)
        {
            if (!flow.IsUnconfirmed && flow.IsClosed == open.Contains(key))
            {
                return $"{Show(key)} is {(flow.IsClosed ? "closed, but open" : "open, but closed")} in the kernel";
            }
        }

        if (_lossPercent > 0)
        {
            return CompareAll();
        }

        long connections = _model.Flows.Values.Where(each => !each.IsUnconfirmed).Sum(each => (long)each.Connections);
        FlowCounters found = _model.Flows.Values.Aggregate(default(FlowCounters), (sum, each) => sum + each.Counters);
        FlowCounters expected = _kernel.Open.Aggregate(_kernel.Ended, (sum, each) => sum + each.Counters);
        return connections != _kernel.Connections ? $"there should be {_kernel.Connections} connections and are {connections}"
            : !found.Equals(expected) ? $"there should be {expected.Packets} packets and are {found.Packets}"
            : CompareAll();
    }

    private string? Event(FlowUpdate? happened)
    {
        if (happened is not FlowUpdate message)
        {
            return null;
        }

        if (_random.Next(100) < _lossPercent)
        {
            _hasLost = true;
            Tell(in message, "lost");
            return null;
        }

        return Apply(in message);
    }

    private string? CountSilently()
    {
        _kernel.Count();
        return null;
    }

    private string? Trace()
    {
        FlowKey key = _kernel.AnyKey();
        if (_table.Find(in key) >= 0)
        {
            return null;
        }

        _table.AddUnconfirmed(in key, _now);
        _model.AddUnconfirmed(key, _now);
        if (IsWatched(in key))
        {
            Told.Add($"{_now}: traced");
        }

        return Compare(key);
    }

    private string? Dump()
    {
        if (!_isDumping)
        {
            if (_random.Next(50) == 0)
            {
                BeginDump();
            }

            return null;
        }

        for (int i = _random.Next(1, 100); i > 0 && _answers.TryDequeue(out FlowUpdate answer); i--)
        {
            if (Apply(in answer) is string difference)
            {
                return difference;
            }
        }

        if (_answers.Count > 0)
        {
            return null;
        }

        if (_random.Next(10) == 0)
        {
            AbandonDump();
            return null;
        }

        return EndDump();
    }

    // After a loss it repairs, otherwise it refreshes.
    private void BeginDump()
    {
        Array.ForEach(_kernel.Dump(), _answers.Enqueue);
        _table.BeginDump(_now, showsEventless: !_hasLost);
        _model.BeginDump(_now, showsEventless: !_hasLost);
        _isDumping = true;
        TellWatched("dump begins");
    }

    private string? EndDump()
    {
        int found = _table.EndDump(_now);
        int expected = _model.EndDump(_now);
        _isDumping = false;
        _hasLost = false;
        TellWatched("dump ends");
        return found == expected ? null : $"a dump should have closed {expected} flows and has closed {found}";
    }

    private void AbandonDump()
    {
        _answers.Clear();
        _table.AbandonDump();
        _model.AbandonDump();
        _isDumping = false;
        TellWatched("dump breaks off");
    }

    private string? Apply(in FlowUpdate message)
    {
        Tell(in message, "");
        _table.Apply(in message, _now, out _);
        _model.Apply(in message, _now);
        return Compare(message.Key);
    }

    // The table shows what it has counted in a copy only, so that is compared for all flows at once.
    private string? Compare(FlowKey key, FlowStore? copy = null)
    {
        int slot = _table.Find(in key);
        FlowCounters? counters = copy is null || slot < 0 || (_table[slot].Flags & FlowFlags.Counted) == 0 ? null : copy.Counters(slot);
        string? difference = slot < 0 ? "it should be there and is not" : _model.Flows[key].Difference(in _table[slot], counters);
        Differing = difference is null ? Differing : key;
        return difference is null ? null : $"{Show(key)}: {difference}";
    }

    private bool IsWatched(in FlowKey key) => Watched is FlowKey watched && FlowKey.AreEqual(in watched, in key);

    private void Tell(in FlowUpdate message, string how)
    {
        if (IsWatched(in message.Key))
        {
            Told.Add($"{_now}: {message.Kind} {how} id {message.Id}, status {message.Status:x}, {message.Fields}, {message.Counters.Packets} packets");
        }
    }

    private void TellWatched(string what)
    {
        if (Watched is not null)
        {
            Told.Add($"{_now}: {what}");
        }
    }

    private static string Show(FlowKey key) =>
        $"{key.Protocol} {key.Original.Src.Low:x}:{key.Original.SrcPort} -> {key.Original.Dst.Low:x}:{key.Original.DstPort} zone {key.Zone}";
}
