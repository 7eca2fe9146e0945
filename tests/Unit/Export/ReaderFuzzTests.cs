using System.Text;
using Conntracker.Core.Export.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class ReaderFuzzTests
{
    private static readonly byte[][] s_words =
    [
        "\""u8.ToArray(), ","u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\0"u8.ToArray(), "[{"u8.ToArray(), "}]"u8.ToArray(), "null"u8.ToArray(),
        "(port="u8.ToArray(), "table: "u8.ToArray(), ",pid:"u8.ToArray(), "%1"u8.ToArray(),
        "\\uD800"u8.ToArray(), [0xFF], [0xC3], "99999999999"u8.ToArray(), "-1"u8.ToArray(),
    ];

    [Theory]
    [InlineData(LogFormat.Text, LogStyle.V1)]
    [InlineData(LogFormat.Text, LogStyle.V2)]
    [InlineData(LogFormat.Text, LogStyle.V3)]
    [InlineData(LogFormat.Json, LogStyle.V3)]
    [InlineData(LogFormat.JsonLines, LogStyle.V3)]
    [InlineData(LogFormat.Csv, LogStyle.V3)]
    public void A_damaged_file_gives_errors_and_flows_but_never_a_crash_or_an_endless_loop(LogFormat format, LogStyle style)
    {
        List<Flow> flows = Logs.Random(7, 12);
        flows.Insert(1, StructuredFlows.Full(StructuredFlows.HostileName));
        byte[] good = Logs.Write(flows, format, style);
        Random random = new(42);
        for (int round = 0; round < 500; round++)
        {
            byte[] bad = Mutate(good, random);
            int errors = 0;

            // Each part gives a flow or an error: more of both than bytes would be a loop.
            int read = FlowReader.Read(new MemoryStream(bad), round % 2 == 0 ? format : null, _ => Assert.True(++errors <= bad.Length))
                .Take(bad.Length + 1).Count();
            Assert.True(read <= bad.Length);
        }
    }

    [Theory]
    [InlineData(LogFormat.Text)]
    [InlineData(LogFormat.Json)]
    [InlineData(LogFormat.JsonLines)]
    [InlineData(LogFormat.Csv)]
    public void A_file_that_breaks_off_anywhere_gives_the_flows_before_the_break(LogFormat format)
    {
        byte[] good = Logs.Write([StructuredFlows.Full(), StructuredFlows.Bare(), StructuredFlows.Full("x\ny")], format, LogStyle.V1);
        int most = 0;
        for (int length = 0; length <= good.Length; length++)
        {
            List<LogFormatException> errors = [];
            int read = FlowReader.Read(new MemoryStream(good, 0, length), format, errors.Add).Count();
            Assert.True(errors.Count <= 1 || format == LogFormat.Csv);
            Assert.True(read >= most - 1);
            most = Math.Max(read, most);
        }

        Assert.Equal(format == LogFormat.Text ? 2 : 3, most);
    }

    [Fact]
    public void What_the_text_reader_takes_from_a_damaged_log_is_written_and_read_again_as_it_is()
    {
        byte[] good = Logs.Write(Logs.Random(3, 20), LogFormat.Text);
        Random random = new(1);
        for (int round = 0; round < 500; round++)
        {
            List<TextLogLine> lines = Logs.ReadLines(Mutate(good, random), _ => { });
            byte[] once = Logs.WriteLines(lines, LogStyle.V3);
            byte[] twice = Logs.WriteLines(Logs.ReadLines(once), LogStyle.V3);
            Assert.Equal(Encoding.UTF8.GetString(once), Encoding.UTF8.GetString(twice));
        }
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int i = random.Next(1, 6); i > 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 30), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, s_words[random.Next(s_words.Length)]);
                    break;
                case 2:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(4) == 0 ? bytes.Count - at : 1);
                    break;
            }
        }

        return [.. bytes];
    }
}
