using System.Globalization;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>What a capture tells of a flow's way through the rules, as lines that a test writes by hand.</summary>
internal static class TraceText
{
    /// <summary>
    /// The verdict and what decided; then each step on a line: how many packets met it, where it is, what it did, the rule's text, and
    /// after a '#' the rule's comment.
    /// </summary>
    /// <param name="flow">The flow.</param>
    /// <param name="counts">Without it lines do not begin with the number of packets: TCP may repeat some on a busy machine.</param>
    public static string Of(Flow flow, bool counts = true) =>
        string.Join('\n', [$"{flow.Verdict}: {flow.VerdictRule ?? "nothing"}", .. flow.Trace.Select(step => counts ? $"{step.Packets} {Of(step)}" : Of(step))]);

    /// <summary>A step, without its count.</summary>
    public static string Of(TraceStep step)
    {
        string table = step.Family is null ? step.Table : $"{step.Family} {step.Table}";
        string where = string.Create(CultureInfo.InvariantCulture,
            $"{table} {step.Chain} {step.Type} {step.Position?.ToString(CultureInfo.InvariantCulture) ?? "?"} {step.Verdict}");
        string rule = step.Rule is null ? where : $"{where}: {step.Rule}";
        return step.Comment is null ? rule : $"{rule} # {step.Comment}";
    }

    /// <summary>Waits until a capture tells this of the flows that began at a port; of several, one after the other.</summary>
    public static void Expect(LiveCapture live, int from, string expected, bool counts = true) =>
        Expect(live, flow => flow.SrcPort == from, expected, counts);

    /// <summary>Waits until a capture tells this of a flow, in whatever order: what nftables and iptables-legacy report comes on two ways.</summary>
    public static void ExpectInAnyOrder(LiveCapture live, int from, string expected)
    {
        Eventually.Equal(
            () => Sorted(expected),
            () => Sorted(string.Join('\n', live.Flows.Where(flow => flow.SrcPort == from).Select(flow => Of(flow)))));

        static string Sorted(string text) => string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal));
    }

    /// <summary>Waits until a capture tells this of flows.</summary>
    public static void Expect(LiveCapture live, Func<Flow, bool> which, string expected, bool counts = true)
    {
        Assert.DoesNotContain('\r', expected);
        Eventually.Equal(() => expected, () => string.Join('\n', live.Flows.Where(which).Select(flow => Of(flow, counts))));
    }
}
