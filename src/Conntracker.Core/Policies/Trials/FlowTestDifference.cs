namespace Conntracker.Core.Policies.Trials;

/// <summary>Compares what two rulesets do to a flow.</summary>
internal static class FlowTestDifference
{
    /// <summary>The test of a flow with the verdict and the rule of another ruleset as those before.</summary>
    public static FlowTest WithOld(FlowTest test, FlowTest old) => test with
    {
        OldVerdict = old.Verdict,
        OldRule = old.Rule,
        OldReplyVerdict = old.ReplyVerdict,
        Changed = Works(test) is bool works && Works(old) is bool worked ? works != worked : null,
    };

    /// <summary>Whether one of the verdicts, or the rule that decided, is another one.</summary>
    public static bool Differs(FlowTest test) =>
        test.Changed == true || test.Verdict != test.OldVerdict || test.ReplyVerdict != test.OldReplyVerdict || !AreEqual(test.Rule, test.OldRule);

    /// <summary>Whether the flow gets through, its answer included; null when that is not known.</summary>
    public static bool? Works(FlowTest test) => (test.Verdict, test.ReplyVerdict) switch
    {
        (FlowVerdict.Unknown, _) => null,
        (not FlowVerdict.Accepted, _) => false,

        // Nobody answers, or no answer was requested: otherwise there is a reason.
        (_, FlowVerdict.Unknown) => test.Reason is null ? true : null,
        (_, FlowVerdict reply) => reply == FlowVerdict.Accepted,
    };

    // Not by position: a rule that is inserted moves all that follow.
    private static bool AreEqual(FirewallRule? one, FirewallRule? other) =>
        one is null || other is null
            ? one is null && other is null
            : (one.Engine, one.Family, one.Table, one.Chain, one.Type, one.Text)
                == (other.Engine, other.Family, other.Table, other.Chain, other.Type, other.Text);
}
