namespace Conntracker.Cli;

/// <summary>The test of a flow as lines for a person: the verdict and the flow, then why, then what became of the answer.</summary>
internal static class FlowTestText
{
    private const int Width = 9;

    private static readonly string s_indent = new(' ', Width);

    /// <summary>Writes the lines.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="test">The test.</param>
    /// <param name="compares">Whether two rulesets are compared: then the old one's rule is shown.</param>
    public static void Write(TextWriter output, FlowTest test, bool compares)
    {
        output.Write(Word(test.Verdict).PadRight(Width));
        output.WriteLine(FlowOf(test.Flow));
        Line(output, test.Rule is FirewallRule rule ? $"by {Place(rule)}" : null);
        Line(output, ReplyOf(test));
        Line(output, test.Translated is FlowTuple tuple ? $"leaves as {tuple}" : null);
        Line(output, OldOf(test, compares));
        Line(output, test.DependsOn == FlowTestDependency.None ? null : $"depends on {DependenciesOf(test.DependsOn)}");
        Line(output, test.Reason);
    }

    /// <summary>A verdict as the first word of a line.</summary>
    public static string Word(FlowVerdict verdict) => verdict switch
    {
        FlowVerdict.Accepted => "ACCEPT",
        FlowVerdict.Dropped => "DROP",
        FlowVerdict.Rejected => "REJECT",
        _ => "UNKNOWN",
    };

    private static void Line(TextWriter output, string? text)
    {
        if (text is not null)
        {
            output.Write(s_indent);
            output.WriteLine(text.ReplaceLineEndings(" "));
        }
    }

    private static string FlowOf(Flow flow)
    {
        string ends = flow.ToString();
        string protocol = flow.Protocol.ToString();
        string icmp = flow.IcmpType is byte type ? $" type {type} code {flow.IcmpCode}" : "";
        string device = (flow.InInterface is null ? "" : $" in {flow.InInterface}") + (flow.OutInterface is null ? "" : $" out {flow.OutInterface}");
        return $"{protocol.ToLowerInvariant()}{ends[protocol.Length..]}{icmp}{device}";
    }

    private static string? ReplyOf(FlowTest test) => test.ReplyVerdict switch
    {
        FlowVerdict.Unknown => null,
        FlowVerdict.Accepted => $"reply accepted{By(test.ReplyRule)}",
        FlowVerdict verdict => $"REPLY {(verdict == FlowVerdict.Dropped ? "DROPPED" : "REJECTED")}{By(test.ReplyRule)}",
    };

    // Without another ruleset the old verdict is the one of the capture, and of interest only where it was another one.
    private static string? OldOf(FlowTest test, bool compares)
    {
        if (!compares)
        {
            return test.Changed == true ? $"before: {Word(test.OldVerdict)}" : null;
        }

        string reply = test.OldReplyVerdict is FlowVerdict.Dropped or FlowVerdict.Rejected ? ", REPLY DROPPED" : "";
        return $"before: {Word(test.OldVerdict)}{reply}{By(test.OldRule)}{(test.Changed == false ? ", so nothing changes for the flow" : "")}";
    }

    private static string By(FirewallRule? rule) => rule is null ? "" : $" by {Place(rule)}";

    private static string Place(FirewallRule rule) => rule is { File: string file, Line: int line }
        ? $"{rule} ({Path.GetFileName(file)}:{line})"
        : rule.ToString();

    private static string DependenciesOf(FlowTestDependency on) =>
        string.Join(", ", Enum.GetValues<FlowTestDependency>().Where(each => each != FlowTestDependency.None && on.HasFlag(each)).Select(NameOf));

    private static string NameOf(FlowTestDependency each) => each switch
    {
        FlowTestDependency.Rate => "the rate of packets",
        FlowTestDependency.State => "what other packets left behind",
        FlowTestDependency.UserSpace => "a program",
        FlowTestDependency.Chance => "chance",
        _ => "the time",
    };
}
