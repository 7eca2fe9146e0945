using System.CommandLine;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>Values that are not understood and options that do not go together: each with its whole message, and exit code 2.</summary>
public sealed class RefusedOptionsTests
{
    private const string OfPackets = ": it requires connection tracking, and the source is packets. Packets are always counted.";

    public static TheoryData<string[], string[]> Refused => new()
    {
        { ["--format", "xml"], ["--format: 'xml' is not one of text, json, jsonlines, csv."] },
        { ["--format", "tree"], ["--format: a tree is a directory, not a log. Use --tree DIR."] },
        { ["--format", "xml", "--style", "v1"], ["--format: 'xml' is not one of text, json, jsonlines, csv."] },
        { ["--format", "0"], ["--format: '0' is not one of text, json, jsonlines, csv."] },
        { ["--format"], ["Required argument missing for option: '--format'."] },
        { ["--style", "v4"], ["--style: 'v4' is not one of v1, v2, v3."] },
        { ["--style", "v2", "--format", "csv"], ["--style requires --format text: only the text log has versions."] },
        { ["--duration", "0"], ["--duration: '0' is not a number of seconds above 0."] },
        { ["--duration", "-1"], ["--duration: '-1' is not a number of seconds above 0."] },
        { ["--duration", "1e3"], ["--duration: '1e3' is not a number of seconds above 0."] },
        { ["--duration", "1,5"], ["--duration: '1,5' is not a number of seconds above 0."] },
        { ["--duration", "NaN"], ["--duration: 'NaN' is not a number of seconds above 0."] },
        { ["--duration", "922337203686"], ["--duration: '922337203686' is not a number of seconds above 0."] },
        { ["--buffer-size", "1"], ["--buffer-size: '1' is not a size from 4096 bytes to 1G. Use 8388608, 8192K or 8M."] },
        { ["--buffer-size", "4095"], ["--buffer-size: '4095' is not a size from 4096 bytes to 1G. Use 8388608, 8192K or 8M."] },
        { ["--buffer-size", "1073741825"], ["--buffer-size: '1073741825' is not a size from 4096 bytes to 1G. Use 8388608, 8192K or 8M."] },
        { ["--buffer-size", "8MB"], ["--buffer-size: '8MB' is not a size from 4096 bytes to 1G. Use 8388608, 8192K or 8M."] },
        { ["--max-flows", "10"], ["--max-flows: '10' is not a number from 1024 to 100000000."] },
        { ["--max-flows", "1023"], ["--max-flows: '1023' is not a number from 1024 to 100000000."] },
        { ["--max-flows", "100000001"], ["--max-flows: '100000001' is not a number from 1024 to 100000000."] },
        { ["--max-flows", "1M"], ["--max-flows: '1M' is not a number from 1024 to 100000000."] },
        { ["-e"], ["--everything requires --trace (-t)."] },
        { ["--everything", "-c"], ["--everything requires --trace (-t)."] },
        { ["--trace-duration", "5"], ["--trace-duration requires --trace (-t)."] },
        { ["--trace-duration", "0.5", "-t"], ["--trace-duration: '0.5' is not a number of seconds from 1 to 86400."] },
        { ["--trace-duration", "86401", "-t"], ["--trace-duration: '86401' is not a number of seconds from 1 to 86400."] },
        { ["--trace-duration", "x", "-t"], ["--trace-duration: 'x' is not a number of seconds above 0."] },
        {
            ["--trace-duration", "5", "-t", "-e"],
            ["--trace-duration cannot be used with --everything, which traces every packet as long as the capture runs."]
        },
        { ["--filter", "tcp"], ["--filter requires --interface (-i) or --pcap: otherwise the source is connection tracking, not packets."] },
        { ["--incoming-udp", "53"], ["--incoming-udp requires --interface (-i) or --pcap: otherwise the source is connection tracking, not packets."] },
        { ["--incoming-udp", "0", "-i", "lo"], ["--incoming-udp: '0' is not a port from 1 to 65535."] },
        { ["--incoming-udp", "65536", "-i", "lo"], ["--incoming-udp: '65536' is not a port from 1 to 65535."] },
        { ["--incoming-udp", "domain", "-i", "lo"], ["--incoming-udp: 'domain' is not a port from 1 to 65535."] },
        { ["--incoming-udp", "53", "--incoming-udp", "0", "-i", "lo"], ["--incoming-udp: '0' is not a port from 1 to 65535."] },
        { ["--local", "10.1"], ["--local: '10.1' is not an address or a subnet. Use 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32."] },
        { ["--local", "10.0.0.0/33", "-i", "lo"], ["--local: '10.0.0.0/33' is not an address or a subnet. Use 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32."] },
        { ["--replay", "a", "--netns", "b"], ["--netns cannot be used with --replay: a replay only reads a recording."] },
        { ["--replay", "a", "--accounting"], ["--accounting cannot be used with --replay: a replay only reads a recording."] },
        { ["--replay", "a", "--keep-tracking"], ["--keep-tracking cannot be used with --replay: a replay only reads a recording."] },
        { ["--replay", "a", "-b"], ["--resolve-process cannot be used with --replay: a replay only reads a recording."] },
        { ["--replay", "a", "--record", "b"], ["--record cannot be used with --replay: a replay only reads a recording."] },
        { ["--replay", "a", "--duration", "5"], ["--duration cannot be used with --replay: a replay only reads a recording."] },
        { ["--trace", "--replay", "a"], ["--trace cannot be used with --replay: a replay only reads a recording."] },
        { ["--interface", "lo", "--replay", "a"], ["--interface cannot be used with --replay: a replay only reads a recording."] },
        { ["--filter", "tcp", "--replay", "a"], ["--filter cannot be used with --replay: a replay only reads a recording."] },
        { ["--pcap", "a", "--replay", "b"], ["--pcap cannot be used with --replay: a replay only reads a recording."] },
        {
            ["--replay", "a", "-t", "-e"],
            ["--trace cannot be used with --replay: a replay only reads a recording.",
             "--everything cannot be used with --replay: a replay only reads a recording."]
        },
        { ["--netns", "a", "--pcap", "b"], ["--netns cannot be used with --pcap: a capture file is only read to its end."] },
        { ["--duration", "5", "--pcap", "a"], ["--duration cannot be used with --pcap: a capture file is only read to its end."] },
        { ["--resolve-process", "--pcap", "a"], ["--resolve-process cannot be used with --pcap: a capture file is only read to its end."] },
        { ["--interface", "lo", "--pcap", "a"], ["--interface cannot be used with --pcap: a capture file is only read to its end."] },
        { ["--accounting", "-i", "lo"], ["--accounting cannot be used with --interface" + OfPackets] },
        { ["--accounting", "--pcap", "a"], ["--accounting cannot be used with --pcap" + OfPackets] },
        { ["--keep-tracking", "-i", "lo"], ["--keep-tracking cannot be used with --interface" + OfPackets] },
        { ["--keep-tracking", "--pcap", "a"], ["--keep-tracking cannot be used with --pcap" + OfPackets] },
        { ["--trace", "-i", "lo"], ["--trace cannot be used with --interface" + OfPackets] },
        { ["--trace", "--pcap", "a"], ["--trace cannot be used with --pcap" + OfPackets] },
        { ["--conntrack-only", "-i", "lo"], ["--conntrack-only cannot be used with --interface" + OfPackets] },
        { ["--conntrack-only", "--pcap", "a"], ["--conntrack-only cannot be used with --pcap" + OfPackets] },
        { ["--skip-else"], ["--skip-else requires --tree: only a tree is folded for firewall rules."] },
        { ["--fold-internet", "in"], ["--fold-internet requires --tree: only a tree is folded for firewall rules."] },
        { ["--tree", "a", "--fold-internet", "some"], ["--fold-internet: 'some' is not one of none, in, out, both."] },
        { ["--tree", "a", "--format", "json"], ["--format requires a log: with --tree, a log is written only with --output (-o)."] },
        { ["--tree", "a", "--style", "v1"], ["--style requires a log: with --tree, a log is written only with --output (-o)."] },
        { ["--netns", "a", "--netns", "b"], ["Option '--netns' expects a single argument but 2 were provided."] },
        { ["--no-such-option"], ["Unrecognized command or argument '--no-such-option'."] },
        { ["capture"], ["Unrecognized command or argument 'capture'."] },
        { ["--trace=maybe", "-e"], ["Unrecognized command or argument 'maybe'."] },
        { ["--foo", "--duration", "0"], ["Unrecognized command or argument '--foo'.", "--duration: '0' is not a number of seconds above 0."] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_wrong_command_line_is_refused_with_a_line_for_each_error(string[] arguments, string[] errors)
    {
        using ConsoleText console = new();
        Assert.Equal(ExitCode.Usage, CommandLine.Invoke(arguments));
        Assert.Equal([.. errors.Append("'conntracker --help' shows the options.").Select(error => $"conntracker: {error}")], console.ErrorLines);
        Assert.Equal("", console.Output);
    }

    [Fact]
    public void Any_two_options_with_any_values_are_read_or_refused_but_end_nothing()
    {
        string[][] uses = [.. new CommandLineOptions().All.Where(option => option.Name is not "--help" and not "--version").SelectMany(Uses)];
        Assert.True(uses.Length > 60);
        foreach (string[] first in uses)
        {
            foreach (string[] second in uses)
            {
                CommandLineOptions options = new();
                ParseResult parsed = options.Parse([.. first, .. second]);
                if (parsed.Errors.Count == 0)
                {
                    options.Bind(parsed).Capture.Validate();
                }
                else
                {
                    Assert.All(parsed.Errors, error => Assert.Matches(@"\A[^\r\n]+\z", error.Message));
                }
            }
        }
    }

    // Each option bare, with a value of no type, and with one that suits it.
    private static IEnumerable<string[]> Uses(Option option) =>
    [
        [option.Name],
        [option.Name + "=,"],
        [option.Name, option.Name switch
        {
            "--style" => "v1",
            "--format" => "json",
            "--fold-internet" => "in",
            "--local" => "10.0.0.0/8",
            "--incoming-udp" => "53",
            _ => "4096",
        }
        ],
    ];
}
