using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>
/// What tcpdump saw: reads the lines that it prints, apart from any code of the program. Both directions of a conversation are one name; the
/// later fragments of a packet belong to the first one's.
/// </summary>
internal sealed partial class TcpdumpText
{
    private static readonly (string Text, int Type)[] s_messages =
    [
        ("multicast listener report v2", 143),
        ("multicast listener report", 131),
        ("multicast listener done", 132),
        ("router solicitation", 133),
        ("router advertisement", 134),
        ("neighbor solicitation", 135),
        ("neighbor advertisement", 136),
    ];

    private readonly Dictionary<string, long> _counts = [];
    private readonly Dictionary<(string, string), string> _fragmented = [];

    /// <summary>How many packets each conversation had.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Reads a capture file with tcpdump.</summary>
    public static TcpdumpText Read(string path)
    {
        TcpdumpText text = new();
        foreach (string line in Tool.Run("tcpdump", "-nn", "-t", "-r", path).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            text.Take(line);
        }

        return text;
    }

    /// <summary>The name of a flow as it would be here.</summary>
    public static string NameOf(Flow flow) => flow.Protocol switch
    {
        FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp =>
            NameOf(flow.Protocol.ToString(), $"{flow.SrcAddress} {flow.SrcPort}", $"{flow.DstAddress} {flow.DstPort}"),
        _ when flow.IcmpType is 0 or 8 or 128 or 129 => NameOf($"Echo {flow.IcmpId}", $"{flow.SrcAddress}", $"{flow.DstAddress}"),
        _ => NameOf($"{flow.Protocol} {flow.IcmpType}", $"{flow.SrcAddress}", $"{flow.DstAddress}"),
    };

    private static string NameOf(string what, string one, string other) =>
        string.CompareOrdinal(one, other) <= 0 ? $"{what}: {one} - {other}" : $"{what}: {other} - {one}";

    private static (string Address, string Port) Split(string end)
    {
        int dots = end.Count(each => each == '.');
        bool hasPort = end.Contains(':', StringComparison.Ordinal) ? dots == 1 : dots == 4;
        int last = end.LastIndexOf('.');
        return hasPort ? (end[..last], end[(last + 1)..]) : (end, "");
    }

    private void Take(string line)
    {
        Match header = Header().Match(line);
        if (!header.Success)
        {
            Assert.StartsWith("ARP", line, StringComparison.Ordinal);
            return;
        }

        (string source, string sourcePort) = Split(header.Groups["src"].Value);
        (string target, string targetPort) = Split(header.Groups["dst"].Value);
        string rest = header.Groups["rest"].Value;
        Match fragment = FragmentOf6().Match(rest);
        if (fragment.Success && fragment.Groups["src"].Success)
        {
            (sourcePort, targetPort) = (fragment.Groups["src"].Value, fragment.Groups["dst"].Value);
        }

        if (IsError(rest))
        {
            return;
        }

        bool isLater = rest.StartsWith("ip-proto-17", StringComparison.Ordinal) || (fragment.Success && !fragment.Groups["src"].Success);
        string name = isLater ? _fragmented[(source, target)] : NameOf(rest, source, sourcePort, target, targetPort, line);
        if (rest.Contains("UDP, ", StringComparison.Ordinal))
        {
            // Which of them is cut into fragments is not said; the rest follows at once.
            _fragmented[(source, target)] = name;
        }

        _counts[name] = _counts.GetValueOrDefault(name) + 1;
    }

    private static string NameOf(string rest, string source, string sourcePort, string target, string targetPort, string line)
    {
        string? protocol = rest.StartsWith("Flags [", StringComparison.Ordinal) ? "Tcp"
            : rest.Contains("UDP, ", StringComparison.Ordinal) ? "Udp"
            : rest.StartsWith("sctp", StringComparison.Ordinal) ? "Sctp"
            : null;
        if (protocol is not null)
        {
            return NameOf(protocol, $"{source} {sourcePort}", $"{target} {targetPort}");
        }

        Match echo = Echo().Match(rest);
        if (echo.Success)
        {
            return NameOf($"Echo {echo.Groups["id"].Value}", source, target);
        }

        int type = s_messages.FirstOrDefault(each => rest.Contains(each.Text, StringComparison.Ordinal)).Type;
        Assert.True(type != 0, $"A line that this test cannot read: {line}");
        return NameOf(string.Create(CultureInfo.InvariantCulture, $"IcmpV6 {type}"), source, target);
    }

    // Errors belong to the flow that they are about, and do not count.
    private static bool IsError(string rest) => rest.StartsWith("ICMP", StringComparison.Ordinal)
        && (rest.Contains("unreachable", StringComparison.Ordinal) || rest.Contains("time exceeded", StringComparison.Ordinal));

    [GeneratedRegex(@"^IP6? (?<src>\S+) > (?<dst>\S+): (?<rest>.*)$")]
    private static partial Regex Header();

    [GeneratedRegex(@"^frag \(\d+\|\d+\)( (?<src>\d+) > (?<dst>\d+))?")]
    private static partial Regex FragmentOf6();

    [GeneratedRegex(@"echo (request|reply), id (?<id>\d+)")]
    private static partial Regex Echo();
}
