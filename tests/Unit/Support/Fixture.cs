using System.Runtime.CompilerServices;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Unit;

/// <summary>One frame of a recording.</summary>
internal sealed record Frame(MessageKind Kind, long Time, byte[] Data);

/// <summary>The recordings beside the tests, and the repository that the tests were compiled from.</summary>
internal static class Fixture
{
    public static string Traffic { get; } = Path.Combine(AppContext.BaseDirectory, "Fixtures", "recordings", "traffic.ctrec");

    /// <summary>The repository's root.</summary>
    public static string Root([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", ".."));

    /// <summary>Every frame of a recording, its end left out.</summary>
    public static List<Frame> Frames(string path)
    {
        using RecordingReader reader = RecordingReader.Open(path);
        List<Frame> frames = [];
        while (reader.Read())
        {
            frames.Add(new Frame(reader.Kind, reader.Time, reader.Data.ToArray()));
        }

        return frames;
    }

    /// <summary>Every netlink message of a recording, each in a datagram of its own.</summary>
    public static List<Frame> Messages(string path)
    {
        List<Frame> messages = [];
        foreach (Frame frame in Frames(path).Where(each => each.Kind is MessageKind.ConntrackEvent or MessageKind.ConntrackDump or MessageKind.Addresses))
        {
            for (int start = 0; start < frame.Data.Length;)
            {
                int length = BitConverter.ToInt32(frame.Data, start);
                messages.Add(frame with { Data = frame.Data[start..(start + length)] });
                start += NetlinkAlignment.Align(length);
            }
        }

        return messages;
    }

    public static List<Flow> Replay(string path)
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { ReplayPath = path });
        return [.. session.GetFlows(FlowQuery.All)];
    }
}
