using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>
/// The processes that a capture's flows name. Bounded: when it is full, processes that no flow names are dropped, except the youngest, whose flows
/// may still arrive.
/// </summary>
internal sealed class ProcessList
{
    /// <summary>How many of the youngest processes are always kept. A reporter reports a process again after half that many others.</summary>
    public const int KeptYoungest = 16_384;

    private const int DefaultMaximum = 131_072;
    private const int DefaultMaximumTextSize = 128 << 20;
    private const int ShortText = 256;
    private const int ShortName = 64;

    private readonly FlowTable _table;
    private readonly int _maximum;
    private readonly Dictionary<int, int> _slots = [];
    private readonly Stack<int> _free = new();
    private ProcessReport[] _reports = new ProcessReport[64];
    private int _count;
    private int _youngest;
    private readonly int _maximumTextSize;
    private long _textSize;
    private int _untilSweep;

    /// <param name="table">The flows that name its processes.</param>
    /// <param name="maximum">How many it holds.</param>
    /// <param name="maximumTextSize">How many bytes of memory their texts take at most; names of up to 64 letters do not count, and are always kept.</param>
    public ProcessList(FlowTable table, int maximum = DefaultMaximum, int maximumTextSize = DefaultMaximumTextSize)
    {
        _maximumTextSize = maximumTextSize;
        _table = table;
        View = new ProcessSnapshot(_reports);
        _maximum = maximum;
    }

    /// <summary>How many processes it holds.</summary>
    public int Count => _slots.Count;

    /// <summary>How many were left out because it was full.</summary>
    public long LeftOut { get; private set; }

    /// <summary>
    /// How many processes lack texts, or have a truncated command line, because the texts together take too much memory: first those of more than 256
    /// letters, then all but the name.
    /// </summary>
    public long TextsLeftOut { get; private set; }

    /// <summary>The processes, until the next one is added.</summary>
    public ProcessSnapshot View { get; private set; }

    /// <summary>The report in a slot.</summary>
    public ref readonly ProcessReport this[int slot] => ref _reports[slot];

    /// <summary>Adds a process.</summary>
    public void Add(ProcessReport report)
    {
        _youngest = Math.Max(_youngest, report.Number);
        if (_slots.Count >= _maximum && !Sweep())
        {
            LeftOut++;
            return;
        }

        if (_slots.ContainsKey(report.Number))
        {
            return;
        }

        report = Fit(report);
        if (!_free.TryPop(out int slot))
        {
            slot = _count++;
            if (slot == _reports.Length)
            {
                Array.Resize(ref _reports, _reports.Length * 2);
                View = new ProcessSnapshot(_reports);
            }
        }

        _slots.Add(report.Number, slot);
        _reports[slot] = report;
        _textSize += SizeOf(report.Process);
    }

    /// <summary>The slot of a process by its number; -1 when it is not in the list.</summary>
    public int Find(int number) => _slots.GetValueOrDefault(number, -1);

    /// <summary>A copy of the current processes.</summary>
    public ProcessSnapshot Copy() => new(_reports[.._count]);

    private static long SizeOf(FlowProcess process) => ProcessText.MemoryOf(
        process.Name, process.CommandLine, process.Path, process.UserName, process.RealUserName, process.Cgroup, process.Unit, process.Container);

    // A user who starts processes chooses their texts. The upper half of the room is for short ones, so that long ones cannot take it all.
    private ProcessReport Fit(ProcessReport report)
    {
        long size = SizeOf(report.Process);
        if (_textSize + size > _maximumTextSize / 2)
        {
            Sweep();
        }

        if (_textSize + size <= _maximumTextSize / 2)
        {
            return report;
        }

        FlowProcess process = Shorten(report.Process, ShortText);
        if (_textSize + SizeOf(process) > _maximumTextSize)
        {
            process = Shorten(report.Process, longest: 0);
        }

        TextsLeftOut += process == report.Process ? 0 : 1;
        return report with { Process = process };
    }

    private static FlowProcess Shorten(FlowProcess process, int longest)
    {
        bool isShort = process.Name.Length <= ShortName && (process.CommandLine?.Length ?? 0) <= longest
            && IsShort(process.Path) && IsShort(process.UserName) && IsShort(process.RealUserName)
            && IsShort(process.Cgroup) && IsShort(process.Unit) && IsShort(process.Container);
        return isShort ? process : new FlowProcess
        {
            Id = process.Id,
            Name = Cut(process.Name, ShortName),
            CommandLine = longest == 0 || process.CommandLine is null ? null : Cut(process.CommandLine, longest),
            Path = Whole(process.Path),
            UserId = process.UserId,
            UserName = Whole(process.UserName),
            RealUserId = process.RealUserId,
            RealUserName = Whole(process.RealUserName),
            Cgroup = Whole(process.Cgroup),
            Unit = Whole(process.Unit),
            Container = Whole(process.Container),
            Source = process.Source,
        };

        bool IsShort(string? text) => (text?.Length ?? 0) <= longest;

        // A truncated path would be another path.
        string? Whole(string? text) => IsShort(text) ? text : null;
    }

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..longest];

    // A sweep reads every flow. One that freed little is not repeated for each further process.
    private bool Sweep()
    {
        if (--_untilSweep > 0)
        {
            return false;
        }

        bool[] isNamed = new bool[_count];
        for (int slot = 0; slot < _table.SlotCount; slot++)
        {
            int number = _table[slot].IsUsed ? _table[slot].Details : 0;
            if (number != 0)
            {
                ref FlowDetails details = ref _table.Details[number];
                Mark(isNamed, details.Process);
                Mark(isNamed, details.ReplyProcess);
            }
        }

        foreach ((int number, int slot) in _slots.ToArray())
        {
            if (!isNamed[slot] && number < _youngest - KeptYoungest)
            {
                _textSize -= SizeOf(_reports[slot].Process);
                _slots.Remove(number);
                _reports[slot] = default;
                _free.Push(slot);
            }
        }

        int enough = _maximum / 16;
        bool hasRoom = _maximum - _slots.Count >= enough && _textSize <= (_maximumTextSize / 2) - (_maximumTextSize / 16);
        _untilSweep = hasRoom ? 0 : enough;
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
