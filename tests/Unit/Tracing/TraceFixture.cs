using System.Globalization;
using System.Text;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;

namespace Conntracker.Tests.Unit;

/// <summary>What the kernel told of traced packets, as Fixtures/trace/README.md says.</summary>
internal static class TraceFixture
{
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "Fixtures", "trace");

    /// <summary>The datagrams of NFLOG.</summary>
    public static List<byte[]> Datagrams()
    {
        byte[] file = File.ReadAllBytes(Path.Combine(s_folder, "nflog.bin"));
        List<byte[]> datagrams = [];
        for (int start = 0; start < file.Length;)
        {
            int length = BitConverter.ToInt32(file, start);
            datagrams.Add(file[(start + 4)..(start + 4 + length)]);
            start += 4 + length;
        }

        return datagrams;
    }

    /// <summary>The records of /dev/kmsg, each with what belongs to it on further lines.</summary>
    public static List<byte[]> Records()
    {
        List<byte[]> records = [];
        foreach (string line in File.ReadLines(Path.Combine(s_folder, "kmsg.log")))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(line + "\n");
            if (line.StartsWith(' '))
            {
                records[^1] = [.. records[^1], .. bytes];
            }
            else
            {
                records.Add(bytes);
            }
        }

        return records;
    }

    /// <summary>The lines of iptables' trace in a datagram, in words; malformed and ignored messages are counted.</summary>
    public static List<string> Decode(ReadOnlySpan<byte> datagram, ref int malformed, ref int ignored)
    {
        List<string> lines = [];
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            DecodeResult result = NflogDecoder.Decode(in message, out IptablesTraceLine line);
            malformed += result == DecodeResult.Malformed ? 1 : 0;
            ignored += result == DecodeResult.Ignored ? 1 : 0;
            if (result == DecodeResult.Decoded)
            {
                lines.Add(Show(in line));
            }
        }

        malformed += messages.IsMalformed ? 1 : 0;
        return lines;
    }

    /// <summary>A line in words: family, hook, table, chain, type, position, and the packet or "none".</summary>
    public static string Show(in IptablesTraceLine line)
    {
        string packet = PacketDecoderTests.Show(line.HasPacket, in line.Packet) ?? "none";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{line.Family} {line.Hook} {Encoding.UTF8.GetString(line.Table)}|{Encoding.UTF8.GetString(line.Chain)}|{line.Type}|{line.Position} {packet}");
    }
}
