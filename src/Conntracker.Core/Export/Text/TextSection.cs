namespace Conntracker.Core.Export.Text;

/// <summary>The lines of one label.</summary>
internal abstract class TextSection(LogLineKind label)
{
    /// <summary>The label.</summary>
    public LogLineKind Label => label;

    /// <summary>How many lines there are.</summary>
    public abstract int Count { get; }

    /// <summary>Creates the section of a label.</summary>
    public static TextSection Create(LogLineKind label) =>
        label.Family == FlowFamily.IPv4 ? new Of<TextLineIPv4>(label) : new Of<TextLine>(label);

    /// <summary>Adds a line behind the others.</summary>
    public abstract void Add(in TextLine line);

    /// <summary>Sorts the lines in the log's order and merges equal ones.</summary>
    public abstract void Sort(TextDetails details);

    /// <summary>Prints the lines in their current order.</summary>
    public abstract void WriteTo(TextLogWriter writer, TextDetails details);

    private sealed class Of<TLine>(LogLineKind label) : TextSection(label)
        where TLine : struct, ITextLine<TLine>
    {
        private TLine[] _lines = new TLine[16];
        private int _count;

        public override int Count => _count;

        public override void Add(in TextLine line)
        {
            if (_count == _lines.Length)
            {
                Array.Resize(ref _lines, _count * 2);
            }

            _lines[_count++] = TLine.Pack(in line);
        }

        public override void Sort(TextDetails details)
        {
            _lines = ParallelSort.Sort(_lines, _count);
            Span<TLine> lines = _lines.AsSpan(0, _count);
            int kept = 0;
            for (int start = 0; start < lines.Length;)
            {
                int end = start + 1;
                while (end < lines.Length && lines[start].HasTupleOf(in lines[end]))
                {
                    end++;
                }

                if (end - start > 1)
                {
                    kept += Merge(lines[start..end], lines[kept..], details);
                }
                else
                {
                    lines[kept++] = lines[start];
                }

                start = end;
            }

            _count = kept;
        }

        public override void WriteTo(TextLogWriter writer, TextDetails details)
        {
            writer.Begin(Label);
            foreach (ref readonly TLine line in _lines.AsSpan(0, _count))
            {
                writer.Write(line.Unpack(), details);
            }
        }

        // Merges the lines of one tuple that have the same process. The target never overtakes the run that is read.
        private static int Merge(Span<TLine> run, Span<TLine> target, TextDetails details)
        {
            if (HasSeveralProcesses(run))
            {
                run.Sort((a, b) => details.Suffix(a.Process).SequenceCompareTo(details.Suffix(b.Process)));
            }

            int kept = 0;
            foreach (ref readonly TLine line in run)
            {
                if (kept > 0 && target[kept - 1].Process == line.Process)
                {
                    ref TLine one = ref target[kept - 1];
                    one.Confirmed |= line.Confirmed;
                    one.Trace = details.Union(one.Trace, line.Trace);
                }
                else
                {
                    target[kept++] = line;
                }
            }

            return kept;
        }

        private static bool HasSeveralProcesses(ReadOnlySpan<TLine> run)
        {
            int first = run[0].Process;
            foreach (ref readonly TLine line in run)
            {
                if (line.Process != first)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
