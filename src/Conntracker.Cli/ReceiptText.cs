using System.Globalization;
using System.Text;

namespace Conntracker.Cli;

/// <summary>The counters of a capture as text: each line has a name and a number, for people and for scripts.</summary>
internal static class ReceiptText
{
    /// <summary>The text.</summary>
    public static string Of(CaptureSession session)
    {
        CaptureReceipt receipt = session.Receipt;
        (string Name, long Value)[] lines =
        [
            ("Flows", session.FlowCount),
            (nameof(receipt.Events), receipt.Events),
            (nameof(receipt.Lost), receipt.Lost),
            (nameof(receipt.Overruns), receipt.Overruns),
            (nameof(receipt.Repaired), receipt.Repaired),
            (nameof(receipt.Malformed), receipt.Malformed),
            (nameof(receipt.Folded), receipt.Folded),
            (nameof(receipt.EventlessFlows), receipt.EventlessFlows),
            (nameof(receipt.ConntrackDrops), receipt.ConntrackDrops),
            (nameof(receipt.ConntrackEarlyDrops), receipt.ConntrackEarlyDrops),
            (nameof(receipt.RecordingLost), receipt.RecordingLost),
            (nameof(receipt.ProcessesLost), receipt.ProcessesLost),
            (nameof(receipt.ProcessesUncertain), receipt.ProcessesUncertain),
            (nameof(receipt.NftablesTraces), receipt.NftablesTraces),
            (nameof(receipt.NftablesTracesLost), receipt.NftablesTracesLost),
            (nameof(receipt.TracesIncomplete), receipt.TracesIncomplete),
            (nameof(receipt.IptablesTraces), receipt.IptablesTraces),
            (nameof(receipt.IptablesTracesLost), receipt.IptablesTracesLost),
            (nameof(receipt.Packets), receipt.Packets),
            (nameof(receipt.PacketsLost), receipt.PacketsLost),
            (nameof(receipt.PacketsSkipped), receipt.PacketsSkipped),
        ];
        StringBuilder text = new();
        foreach ((string name, long value) in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name + ":",-20}{value,12}\n");
        }

        return text.ToString();
    }
}
