using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Text;

/// <summary>
/// Creates flows from a text log's lines. V1 and V2 have one line for each flow, and so has ICMP in every generation. V3 has two for any other flow
/// that was answered, and shows which belong together only when nothing was translated: a line and its mirror are one flow, every other line is a
/// flow of its own. The trace of the reply may lack steps that only the first packet met, such as those of nat: the line with more steps is then the
/// original. Where each of both has a step that the other lacks, they are two flows.
/// </summary>
internal static class TextFlows
{
    /// <summary>Creates flows; lines of V3 are held until all are read, those of V1 and V2 are not.</summary>
    public static IEnumerable<Flow> Of(IEnumerable<TextLogLine> lines)
    {
        List<TextLogLine> held = [];
        bool hold = true;
        bool isV3 = false;
        foreach (TextLogLine line in lines)
        {
            if (hold)
            {
                held.Add(line);
                isV3 |= line.Style == LogStyle.V3;
                hold = isV3 || line.Style is null;
                if (hold)
                {
                    continue;
                }

                // The first line that shows a generation shows V1 or V2.
                foreach (TextLogLine first in held)
                {
                    yield return ToFlow(first);
                }

                held = [];
            }
            else
            {
                yield return ToFlow(line);
            }
        }

        foreach (Flow flow in Join(held))
        {
            yield return flow;
        }
    }

    private static IEnumerable<Flow> Join(List<TextLogLine> lines)
    {
        TextDetails details = new(LogStyle.V3);
        Dictionary<Key, int> alone = [];
        int[] mirrors = new int[lines.Count];
        Array.Fill(mirrors, -1);
        for (int i = 0; i < lines.Count; i++)
        {
            if (lines[i].Label.IsIcmp)
            {
                continue;
            }

            Key key = Key.Of(lines[i], details);
            if (alone.TryGetValue(key.Mirror(), out int other) && (Holds(lines[i], lines[other]) || Holds(lines[other], lines[i])))
            {
                alone.Remove(key.Mirror());
                (mirrors[i], mirrors[other]) = (other, i);
            }
            else
            {
                alone.TryAdd(key, i);
            }
        }

        for (int i = 0; i < lines.Count; i++)
        {
            if (mirrors[i] < 0)
            {
                yield return ToFlow(lines[i]);
            }
            else if (i < mirrors[i])
            {
                TextLogLine mirror = lines[mirrors[i]];
                yield return IsOriginal(lines[i], mirror) ? ToFlow(lines[i], mirror) : ToFlow(mirror, lines[i]);
            }
        }
    }

    // Whether the first of two mirrored lines is the original direction: it has steps that the other lacks, or else its destination is the service.
    private static bool IsOriginal(TextLogLine first, TextLogLine second)
    {
        bool holdsSecond = Holds(first, second);
        return holdsSecond == Holds(second, first) ? first.DestinationPort <= first.SourcePort : holdsSecond;
    }

    // Whether the trace of one line has every step of the other's.
    private static bool Holds(TextLogLine line, TextLogLine other) =>
        other.Trace.Count == 0
        || TraceStepsComparer.Instance.Equals(line.Trace, other.Trace)
        || line.Trace.Select(TraceLine.From).ToHashSet().IsSupersetOf(other.Trace.Select(TraceLine.From));

    private static Flow ToFlow(TextLogLine line, TextLogLine? reply = null)
    {
        LogLineKind label = line.Label;
        bool confirmed = line.Confirmed || reply is not null;
        return new Flow
        {
            Protocol = label.Protocol,
            Family = label.Family,
            SrcAddress = AddressText.ToAddress(line.Source, label.Family),
            SrcPort = label.HasPorts ? line.SourcePort : null,
            DstAddress = AddressText.ToAddress(line.Destination, label.Family),
            DstPort = label.HasPorts ? line.DestinationPort : null,
            IcmpType = label.IsIcmp ? (byte)line.SourcePort : null,
            IcmpCode = label.IsIcmp ? (byte)line.DestinationPort : null,
            ReplySrcAddress = reply is null ? null : AddressText.ToAddress(reply.Source, label.Family),
            ReplySrcPort = label.HasPorts ? reply?.SourcePort : null,
            ReplyDstAddress = reply is null ? null : AddressText.ToAddress(reply.Destination, label.Family),
            ReplyDstPort = label.HasPorts ? reply?.DestinationPort : null,
            State = confirmed ? FlowState.Replied : FlowState.New,
            Confirmed = confirmed,
            Process = line.Process,
            Trace = line.Trace,
            ReplyTrace = reply is null || TraceStepsComparer.Instance.Equals(line.Trace, reply.Trace) ? null : reply.Trace,
        };
    }

    private readonly record struct Key(
        LogLineKind Label, UInt128 Source, UInt128 Destination, ushort SourcePort, ushort DestinationPort, int Process)
    {
        public static Key Of(TextLogLine line, TextDetails details) => new(
            line.Label, line.Source, line.Destination, line.SourcePort, line.DestinationPort, details.Add(line.Process));

        public Key Mirror() => this with
        {
            Source = Destination,
            Destination = Source,
            SourcePort = DestinationPort,
            DestinationPort = SourcePort,
        };
    }
}
