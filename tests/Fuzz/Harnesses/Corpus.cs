using System.Buffers.Binary;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>The fixtures of the other suites, taken apart.</summary>
internal sealed class Corpus
{
    private static readonly string s_root = Path.Combine(AppContext.BaseDirectory, "Corpus");

    private readonly List<RecordedMessage[]> _recordings = [];

    /// <summary>Reads the recordings.</summary>
    public Corpus()
    {
        foreach (string path in Directory.GetFiles(s_root, "*.ctrec", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            using RecordingReader reader = RecordingReader.Open(path);
            List<RecordedMessage> frames = [];
            while (reader.Read())
            {
                frames.Add(new RecordedMessage((byte)reader.Kind, reader.Time, reader.Data.ToArray()));
            }

            _recordings.Add([.. frames]);
        }
    }

    /// <summary>The frames of each recording.</summary>
    public IReadOnlyList<RecordedMessage[]> Recordings => _recordings;

    /// <summary>The data of all frames of a kind.</summary>
    public IEnumerable<byte[]> Frames(MessageKind kind) =>
        _recordings.SelectMany(each => each).Where(each => each.Kind == (byte)kind).Select(each => each.Data);

    /// <summary>All netlink messages of frames of a kind that fit, each in a datagram of its own; of many that are alike, few.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="fits">Tells by a message's type.</param>
    /// <param name="maximum">How many at most, spread over all.</param>
    public byte[][] Messages(MessageKind kind, Func<int, bool> fits, int maximum = 256) => Messages(Frames(kind), fits, maximum);

    /// <summary>The same of datagrams from elsewhere.</summary>
    public static byte[][] Messages(IEnumerable<byte[]> datagrams, Func<int, bool> fits, int maximum = 256)
    {
        List<byte[]> messages = [];
        foreach (byte[] datagram in datagrams)
        {
            for (int start = 0; start < datagram.Length;)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(datagram.AsSpan(start));
                byte[] message = datagram[start..(start + length)];
                if (fits(BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(sizeof(uint)))))
                {
                    messages.Add(message);
                }

                start += NetlinkAlignment.Align(length);
            }
        }

        int step = Math.Max(1, messages.Count / maximum);
        return [.. messages.Where((_, i) => i % step == 0)];
    }

    /// <summary>A file of tests/Unit/Fixtures.</summary>
    public static byte[] UnitFile(params string[] path) => File.ReadAllBytes(Path.Combine([s_root, "Unit", .. path]));

    /// <summary>A file of tests/Shared/Fixtures.</summary>
    public static byte[] SharedFile(string name) => File.ReadAllBytes(Path.Combine(s_root, "Shared", name));

    /// <summary>The logs of all generations.</summary>
    public static IEnumerable<byte[]> Logs() =>
        Directory.GetFiles(s_root, "v*.log", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
}

/// <summary>A frame of a recording.</summary>
/// <param name="Kind">A <see cref="MessageKind"/>, or what a damaged file has there.</param>
/// <param name="Time">Ticks of UTC.</param>
/// <param name="Data">Its data.</param>
internal sealed record RecordedMessage(byte Kind, long Time, byte[] Data);
