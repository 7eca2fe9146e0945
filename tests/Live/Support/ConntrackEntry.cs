using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>
/// A connection as a line of text that is the same whether conntrack(8) or a capture tells it: what differs is shown by comparing lines.
/// </summary>
internal static partial class ConntrackEntry
{
    /// <summary>The kernel's table in a namespace, by <c>conntrack -L</c>: sorted lines.</summary>
    /// <param name="where">The namespace.</param>
    /// <param name="counters">With packets and bytes.</param>
    public static string List(TestNamespace where, bool counters = false)
    {
        IEnumerable<string> lines = new[] { "ipv4", "ipv6" }
            .SelectMany(family => where.Run("conntrack", "-L", "-f", family, "-o", "extended,id").Split('\n'));
        return Sort(lines.Where(line => line.Length > 0).Select(line => Parse(line, Detail.Whole, counters)));
    }

    /// <summary>The flows of a capture that are open: sorted lines.</summary>
    public static string ListOpen(Capture capture, bool counters = false) => ListOpen(capture.GetFlows(FlowQuery.All), counters);

    /// <summary>The flows that are open: sorted lines.</summary>
    public static string ListOpen(IEnumerable<Flow> flows, bool counters = false) =>
        Sort(flows.Where(flow => flow.State != FlowState.Closed).Select(flow => Format(flow, Detail.Whole, counters)));

    /// <summary>The tuples of the connections that <c>conntrack -E</c> saw begin: sorted lines.</summary>
    public static string ListBegun(string events) =>
        Sort(Begun(events).Select(line => Parse(line, Detail.Tuples, false)));

    /// <summary>How many connections <c>conntrack -E</c> saw begin so far.</summary>
    public static int CountBegun(string events) => Begun(events).Count();

    /// <summary>The tuples of all flows of a capture: sorted lines.</summary>
    public static string ListTuples(Capture capture) => Sort(capture.GetFlows(FlowQuery.All).Select(flow => Format(flow, Detail.Tuples, false)));

    private enum Detail
    {
        Tuples,
        Whole,
    }

    // A last line without its end is still being written.
    private static IEnumerable<string> Begun(string events) =>
        events[..(events.LastIndexOf('\n') + 1)].Split('\n').Where(line => line.Contains("[NEW]", StringComparison.Ordinal));

    private static string Sort(IEnumerable<string> lines) => string.Join('\n', lines.Order(StringComparer.Ordinal));

    private static string Parse(string line, Detail detail, bool counters)
    {
        Match header = Header().Match(line);
        Assert.True(header.Success, line);
        FlowProtocol protocol = (FlowProtocol)byte.Parse(header.Groups["number"].Value, CultureInfo.InvariantCulture);
        ILookup<string, string> values = Value().Matches(line).ToLookup(each => each.Groups["name"].Value, each => each.Groups["value"].Value);
        string At(string name, int direction) => values[name].ElementAtOrDefault(direction) ?? "";
        string icmp = $"{At("type", 0)}/{At("code", 0)}/{At("id", 0)}";
        string Side(int direction) => Tuple(
            At("src", direction), At("sport", direction), At("dst", direction), At("dport", direction), direction == 0 ? icmp : "", protocol);
        string tuples = Tuples(header.Groups["family"].Value, protocol, Side(0), Side(1), At("zone", 0) + At("zone-orig", 0));
        if (detail == Detail.Tuples)
        {
            return tuples;
        }

        string state = line.Contains("[ASSURED]", StringComparison.Ordinal) ? "Assured"
            : line.Contains("[UNREPLIED]", StringComparison.Ordinal) ? "New" : "Replied";
        string known = protocol is FlowProtocol.Tcp or FlowProtocol.Sctp ? header.Groups["state"].Value.Replace("_", "", StringComparison.Ordinal) : "";
        string counts = counters ? $" {At("packets", 0)}/{At("bytes", 0)} {At("packets", 1)}/{At("bytes", 1)}" : "";
        return $"{tuples} mark {At("mark", 0)} {state} {known} id {values["id"].Last()}{counts}";
    }

    private static string Format(Flow flow, Detail detail, bool counters)
    {
        string original = Tuple(
            flow.SrcAddress, flow.SrcPort, flow.DstAddress, flow.DstPort, $"{flow.IcmpType}/{flow.IcmpCode}/{flow.IcmpId}", flow.Protocol);
        string reply = Tuple(flow.ReplySrcAddress!, flow.ReplySrcPort, flow.ReplyDstAddress!, flow.ReplyDstPort, "", flow.Protocol);
        string tuples = Tuples(flow.Family.ToString().ToLowerInvariant(), flow.Protocol, original, reply, flow.Zone == 0 ? "" : $"{flow.Zone}");
        if (detail == Detail.Tuples)
        {
            return tuples;
        }

        string known = (flow.TcpState?.ToString() ?? flow.SctpState?.ToString() ?? "").ToUpperInvariant();
        string counts = counters ? $" {flow.Packets}/{flow.Bytes} {flow.ReplyPackets}/{flow.ReplyBytes}" : "";
        return $"{tuples} mark {flow.Mark} {flow.State} {known} id {flow.ConntrackId}{counts}";
    }

    private static string Tuples(string family, FlowProtocol protocol, string original, string reply, string zone) =>
        $"{family} {protocol} {original} | {reply} | zone {zone}";

    private static string Tuple(object src, object? srcPort, object dst, object? dstPort, string icmp, FlowProtocol protocol) =>
        $"{src} {srcPort} > {dst} {dstPort}" + (protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6 ? $" {icmp}" : "");

    [GeneratedRegex(@"(?<family>ipv[46])\s+\d+\s+\S+\s+(?<number>\d+)(\s+\d+)?(\s+(?<state>[A-Z][A-Z0-9_]*))?\s")]
    private static partial Regex Header();

    [GeneratedRegex(@"(?<name>[a-z-]+)=(?<value>\S+)")]
    private static partial Regex Value();
}
