using System.Globalization;
using System.Text;

namespace Conntracker.Cli;

/// <summary>The counters of a capture as text: each line has a name and a number, readable by users and scripts.</summary>
internal static class CountersText
{
    /// <summary>The text for a capture.</summary>
    public static string Of(CaptureSession session) => Of(session.FlowCount, session.Counters);

    /// <summary>The text for these numbers.</summary>
    public static string Of(long flows, CaptureCounters counters)
    {
        (string Name, long Value)[] lines =
        [
            ("Flows", flows),
            (nameof(counters.Events), counters.Events),
            (nameof(counters.Lost), counters.Lost),
            (nameof(counters.Overruns), counters.Overruns),
            (nameof(counters.Repaired), counters.Repaired),
            (nameof(counters.Malformed), counters.Malformed),
            (nameof(counters.Folded), counters.Folded),
            (nameof(counters.EventlessFlows), counters.EventlessFlows),
            (nameof(counters.ConntrackDrops), counters.ConntrackDrops),
            (nameof(counters.ConntrackEarlyDrops), counters.ConntrackEarlyDrops),
            (nameof(counters.RecordingLost), counters.RecordingLost),
            (nameof(counters.ProcessesLost), counters.ProcessesLost),
            (nameof(counters.ProcessesUncertain), counters.ProcessesUncertain),
            (nameof(counters.NftablesTraces), counters.NftablesTraces),
            (nameof(counters.NftablesTracesLost), counters.NftablesTracesLost),
            (nameof(counters.TracesIncomplete), counters.TracesIncomplete),
            (nameof(counters.IptablesTraces), counters.IptablesTraces),
            (nameof(counters.IptablesTracesLost), counters.IptablesTracesLost),
            (nameof(counters.Packets), counters.Packets),
            (nameof(counters.PacketsLost), counters.PacketsLost),
            (nameof(counters.PacketsSkipped), counters.PacketsSkipped),
        ];
        StringBuilder text = new();
        foreach ((string name, long value) in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name + ":",-20}{value,12}\n");
        }

        return text.ToString();
    }
}
