using System.Runtime.InteropServices;

namespace Conntracker.Core.Export;

/// <summary>The lines of one label.</summary>
internal sealed class TextSection(FlowLabel label)
{
    private readonly List<TextLine> _lines = [];

    /// <summary>The label.</summary>
    public FlowLabel Label => label;

    /// <summary>The lines, in the order they are in now.</summary>
    public ReadOnlySpan<TextLine> Lines => CollectionsMarshal.AsSpan(_lines);

    /// <summary>Adds a line behind the others.</summary>
    public void Add(in TextLine line) => _lines.Add(line);

    /// <summary>Puts the lines in the log's order and makes one of those that are equal.</summary>
    public void Sort(TextEvidence evidence)
    {
        Span<TextLine> lines = CollectionsMarshal.AsSpan(_lines);
        lines.Sort();
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
                kept += Merge(lines[start..end], lines[kept..], evidence);
            }
            else
            {
                lines[kept++] = lines[start];
            }

            start = end;
        }

        CollectionsMarshal.SetCount(_lines, kept);
    }

    // Lines of one tuple: those of one process become one. The target never runs ahead of the run that is read.
    private static int Merge(Span<TextLine> run, Span<TextLine> target, TextEvidence evidence)
    {
        if (HasSeveralProcesses(run))
        {
            run.Sort((a, b) => evidence.Suffix(a.Process).SequenceCompareTo(evidence.Suffix(b.Process)));
        }

        int kept = 0;
        foreach (ref readonly TextLine line in run)
        {
            if (kept > 0 && target[kept - 1].Process == line.Process)
            {
                ref TextLine one = ref target[kept - 1];
                one.Confirmed |= line.Confirmed;
                one.Trace = evidence.Union(one.Trace, line.Trace);
            }
            else
            {
                target[kept++] = line;
            }
        }

        return kept;
    }

    private static bool HasSeveralProcesses(ReadOnlySpan<TextLine> run)
    {
        foreach (ref readonly TextLine line in run)
        {
            if (line.Process != run[0].Process)
            {
                return true;
            }
        }

        return false;
    }
}
