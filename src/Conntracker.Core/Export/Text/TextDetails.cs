using System.Text;

namespace Conntracker.Core.Export.Text;

/// <summary>
/// The processes and traces of a log's lines, each stored once, with its bytes ready to print. A log of a million lines has a few hundred of them, so
/// a line holds two numbers instead.
/// </summary>
internal sealed class TextDetails(LogStyle style)
{
    private readonly Dictionary<ProcessKey, int> _processes = [];
    private readonly Dictionary<string, int> _suffixes = new(StringComparer.Ordinal);
    private readonly List<byte[]> _suffixBytes = [ProcessSuffix.Unknown.ToArray()];

    private readonly Dictionary<IReadOnlyList<TraceStep>, int> _steps = new(TraceStepsComparer.Instance);
    private readonly Dictionary<string, int> _traces = new(StringComparer.Ordinal);
    private readonly Dictionary<(int, int), int> _unions = [];
    private readonly List<TraceLine[]> _traceLines = [[]];
    private readonly List<byte[]> _traceBytes = [[]];

    /// <summary>The number of a process; 0 for none.</summary>
    public int Add(FlowProcess? process)
    {
        if (process is null)
        {
            return 0;
        }

        ProcessKey key = new(process.Name, process.Id, process.UserName, process.UserId);
        if (!_processes.TryGetValue(key, out int number))
        {
            // Two processes may print alike once their names are sanitized.
            string suffix = ProcessSuffix.Format(process);
            if (!_suffixes.TryGetValue(suffix, out number))
            {
                number = _suffixBytes.Count;
                _suffixBytes.Add(Encoding.UTF8.GetBytes(suffix));
                _suffixes.Add(suffix, number);
            }

            _processes.Add(key, number);
        }

        return number;
    }

    /// <summary>The number of a trace; 0 when this style prints none of its steps.</summary>
    public int Add(IReadOnlyList<TraceStep>? trace)
    {
        if (style == LogStyle.V1 || trace is null || trace.Count == 0)
        {
            return 0;
        }

        if (!_steps.TryGetValue(trace, out int number))
        {
            number = Add(TraceLine.Of(trace, style));
            _steps.Add([.. trace], number);
        }

        return number;
    }

    /// <summary>The number of two traces combined.</summary>
    public int Union(int first, int second)
    {
        if (first == second || second == 0)
        {
            return first;
        }

        if (!_unions.TryGetValue((first, second), out int number))
        {
            number = Add([.. new SortedSet<TraceLine>([.. _traceLines[first], .. _traceLines[second]])]);
            _unions.Add((first, second), number);
        }

        return number;
    }

    /// <summary>The suffix of the process with this number.</summary>
    public ReadOnlySpan<byte> Suffix(int process) => _suffixBytes[process];

    /// <summary>The lines of the trace with this number.</summary>
    public ReadOnlySpan<byte> Lines(int trace) => _traceBytes[trace];

    private int Add(TraceLine[] lines)
    {
        if (lines.Length == 0)
        {
            return 0;
        }

        byte[] bytes = TraceLine.Format(lines, style);
        string text = Encoding.UTF8.GetString(bytes);
        if (!_traces.TryGetValue(text, out int number))
        {
            number = _traceBytes.Count;
            _traceLines.Add(lines);
            _traceBytes.Add(bytes);
            _traces.Add(text, number);
        }

        return number;
    }

    private readonly record struct ProcessKey(string Name, int Id, string? UserName, uint? UserId);
}
