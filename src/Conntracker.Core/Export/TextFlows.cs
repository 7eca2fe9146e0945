namespace Conntracker.Core.Export;

/// <summary>
/// Makes flows of a text log's lines. V1 and V2 have a line for each flow, and so has ICMP in every generation. V3 has two for another
/// flow that was answered, and does not say which belong together unless nothing was translated: a line and its exact mirror are one
/// flow, all others a flow each.
/// </summary>
internal static class TextFlows
{
    /// <summary>Makes flows; lines of V3 are held until all are read, those of V1 and V2 are not.</summary>
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

                // The first line that tells says V1 or V2.
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
        // V2 keeps every table and position: lines are joined only when what they print is the same to the letter.
        TextEvidence evidence = new(LogStyle.V2);
        Dictionary<Key, int> alone = [];
        int[] mirrors = new int[lines.Count];
        Array.Fill(mirrors, -1);
        for (int i = 0; i < lines.Count; i++)
        {
            if (lines[i].Label.IsIcmp)
            {
                continue;
            }

            Key key = Key.Of(lines[i], evidence);
            if (alone.Remove(key.Mirror(), out int other))
            {
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
                yield return IsOriginal(lines[i]) ? ToFlow(lines[i], lines[mirrors[i]]) : ToFlow(lines[mirrors[i]], lines[i]);
            }
        }
    }

    // Whether the first of two mirrors is the original direction: it goes to the service.
    private static bool IsOriginal(TextLogLine first) => first.DestinationPort <= first.SourcePort;

    private static Flow ToFlow(TextLogLine line, TextLogLine? reply = null)
    {
        FlowLabel label = line.Label;
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
        };
    }

    private readonly record struct Key(
        FlowLabel Label, UInt128 Source, UInt128 Destination, ushort SourcePort, ushort DestinationPort, int Process, int Trace)
    {
        public static Key Of(TextLogLine line, TextEvidence evidence) => new(
            line.Label, line.Source, line.Destination, line.SourcePort, line.DestinationPort, evidence.Add(line.Process), evidence.Add(line.Trace));

        public Key Mirror() => this with
        {
            Source = Destination,
            Destination = Source,
            SourcePort = DestinationPort,
            DestinationPort = SourcePort,
        };
    }
}
