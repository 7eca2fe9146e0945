using Conntracker.Core.Decoding;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>
/// The processes that a capture's flows name. Bounded: when it is full, processes that no flow names are forgotten, but not the youngest,
/// of which flows may still be on their way.
/// </summary>
internal sealed class ProcessList
{
    /// <summary>How many of the youngest processes are always kept. Whoever reports one for longer than half of that reports it anew.</summary>
    public const int KeptYoungest = 16_384;

    private const int DefaultMaximum = 131_072;
    private const int MaximumTextLength = 64 << 20;
    private const int ShortCommandLine = 256;

    private readonly FlowTable _table;
    private readonly int _maximum;
    private readonly Dictionary<int, int> _slots = [];
    private readonly Stack<int> _free = new();
    private ProcessReport[] _reports = new ProcessReport[64];
    private int _count;
    private int _youngest;
    private long _textLength;
    private int _untilSweep;

    /// <summary>Makes an empty list.</summary>
    /// <param name="table">The flows that name its processes.</param>
    /// <param name="maximum">How many it holds.</param>
    public ProcessList(FlowTable table, int maximum = DefaultMaximum)
    {
        _table = table;
        View = new ProcessView(_reports);
        _maximum = maximum;
    }

    /// <summary>How many processes it holds.</summary>
    public int Count => _slots.Count;

    /// <summary>How many were left out because it was full.</summary>
    public long LeftOut { get; private set; }

    /// <summary>The processes, until the next one is added.</summary>
    public ProcessView View { get; private set; }

    /// <summary>The report at a place.</summary>
    public ref readonly ProcessReport this[int place] => ref _reports[place];

    /// <summary>Adds a process.</summary>
    public void Add(ProcessReport report)
    {
        _youngest = Math.Max(_youngest, report.Number);
        if (_slots.Count >= _maximum && !Sweep())
        {
            LeftOut++;
            return;
        }

        if (_textLength > MaximumTextLength && report.Process.CommandLine is { Length: > ShortCommandLine })
        {
            report = report with { Process = Shorten(report.Process) };
        }

        if (!_free.TryPop(out int place))
        {
            place = _count++;
            if (place == _reports.Length)
            {
                Array.Resize(ref _reports, _reports.Length * 2);
                View = new ProcessView(_reports);
            }
        }

        if (_slots.TryAdd(report.Number, place))
        {
            _reports[place] = report;
            _textLength += LengthOf(in report);
        }
        else
        {
            _free.Push(place);
        }
    }

    /// <summary>The place of a process by its number; -1 when it is not there.</summary>
    public int Find(int number) => _slots.GetValueOrDefault(number, -1);

    /// <summary>The processes as they are now.</summary>
    public ProcessView Copy() => new(_reports[.._count]);

    private static int LengthOf(ref readonly ProcessReport report) => report.Process.CommandLine?.Length ?? 0;

    private static FlowProcess Shorten(FlowProcess process) => new()
    {
        Id = process.Id,
        Name = process.Name,
        CommandLine = process.CommandLine![..ShortCommandLine],
        Path = process.Path,
        UserId = process.UserId,
        UserName = process.UserName,
        Cgroup = process.Cgroup,
        Unit = process.Unit,
        Container = process.Container,
        Source = process.Source,
    };

    // A sweep looks at every flow. One that freed little is not repeated for each further process.
    private bool Sweep()
    {
        if (--_untilSweep > 0)
        {
            return false;
        }

        bool[] isNamed = new bool[_count];
        for (int place = 0; place < _table.PlaceCount; place++)
        {
            int number = _table[place].IsUsed ? _table[place].Evidence : 0;
            if (number != 0)
            {
                ref FlowEvidence evidence = ref _table.Evidence[number];
                Mark(isNamed, evidence.Process);
                Mark(isNamed, evidence.ReplyProcess);
            }
        }

        foreach ((int number, int place) in _slots.ToArray())
        {
            if (!isNamed[place] && number < _youngest - KeptYoungest)
            {
                _textLength -= LengthOf(in _reports[place]);
                _slots.Remove(number);
                _reports[place] = default;
                _free.Push(place);
            }
        }

        int enough = _maximum / 16;
        _untilSweep = _maximum - _slots.Count < enough ? enough : 0;
        return _slots.Count < _maximum;
    }

    private static void Mark(bool[] isNamed, int link)
    {
        if (link > 0)
        {
            isNamed[link - 1] = true;
        }
    }
}
