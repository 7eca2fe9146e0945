using Conntracker.Core.Captures;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Recordings, replayed as users replay them: all of the engine behind the decoders is in their way.</summary>
internal static class RecordingHarnesses
{
    private const int MessagesInPart = 24;
    private const int PartsOfRecording = 32;
    private const int LongestPart = 12_000;

    public static IEnumerable<Harness> All(Corpus corpus, ScratchFile scratch)
    {
        List<byte[]> files = [];
        foreach (RecordedMessage[] frames in corpus.Recordings)
        {
            int step = Math.Max(MessagesInPart / 2, frames.Length / PartsOfRecording);
            for (int start = 0; start < frames.Length; start += step)
            {
                // The rules come first in recordings, and belong to all that follows.
                IEnumerable<RecordedMessage> rules = frames.Take(start).Where(each => IsRuleset(each) && each.Data.Length < LongestPart / 4).TakeLast(3);
                byte[] part = RecordingBytes.Of([.. rules, .. frames.Skip(start).Take(MessagesInPart), End]);
                if (part.Length <= LongestPart)
                {
                    files.Add(part);
                }
            }
        }

        byte[][] packets = [.. PacketHarnesses.PacketsOf(Corpus.SharedFile("office.pcap"))];
        files.Add(RecordingBytes.Of([.. PacketFrames(packets), End]));
        IEnumerable<RecordedMessage> events =
            corpus.Recordings.SelectMany(each => each).Where(each => each.Kind == (byte)MessageKind.ConntrackEvent).Take(MessagesInPart);
        files.Add(RecordingBytes.Of([.. ProcessMessages(), .. events, .. ProcessMessages(), End]));
        yield return new Harness("recording", files, new RecordingMutator(), input => Replay(scratch.Write(input)));
    }

    private static RecordedMessage End { get; } = new((byte)MessageKind.End, new DateTime(2026, 1, 2).Ticks, []);

    private static void Replay(string path)
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        try
        {
            using ReplayRunner runner = new(path, collector, new CaptureNotices());
            runner.Run(() => { });
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.RecordingInvalid)
        {
            // Said to be damaged; what came before is kept.
        }

        CollectedFlows.WriteAll(collector);
    }

    private static bool IsRuleset(RecordedMessage frame) =>
        (MessageKind)frame.Kind is MessageKind.NftablesRuleset or MessageKind.IptablesRuleset or MessageKind.Ip6tablesRuleset or MessageKind.RulesetRequested;

    private static IEnumerable<RecordedMessage> PacketFrames(byte[][] packets)
    {
        long time = new DateTime(2026, 1, 1).Ticks;
        const int Raw = 12;
        yield return new RecordedMessage((byte)MessageKind.PacketLink, time, BitConverter.GetBytes(Raw));
        foreach (byte[] each in packets)
        {
            time += TimeSpan.TicksPerMillisecond;
            yield return new RecordedMessage((byte)MessageKind.Packet, time, [.. BitConverter.GetBytes(each.Length), .. each]);
        }

        yield return new RecordedMessage((byte)MessageKind.PacketTime, time + TimeSpan.TicksPerDay, []);
    }

    private static IEnumerable<RecordedMessage> ProcessMessages()
    {
        long time = new DateTime(2026, 1, 1).Ticks;
        foreach (byte[] each in ProcessHarnesses.Reports())
        {
            yield return new RecordedMessage((byte)MessageKind.Process, time++, each);
        }

        foreach (byte[] each in ProcessHarnesses.Owners())
        {
            yield return new RecordedMessage((byte)MessageKind.SocketOwner, time++, each);
        }
    }
}
