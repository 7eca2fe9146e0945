using System.Globalization;
using System.Net;
using Conntracker.Core.Policies.Network;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>
/// Proves, before any ruleset is loaded, that the trial gives the right answers on this machine: of two packets that differ in a port, one rule accepts
/// the one and another drops the other.
/// </summary>
internal static class TrialSelfTest
{
    private const string Table = "conntracker_trial_self";
    private const string Rules = $$"""
        table inet {{Table}} {
            chain check { type filter hook output priority 0; policy drop; udp dport 1 accept; udp dport 2 drop; }
        }
        """;

    /// <summary>Runs the test, in a network namespace without rules.</summary>
    /// <exception cref="ConntrackException">A verdict or its rule was wrong, or missing.</exception>
    public static void Run(HostNetwork network, TrialTables tables)
    {
        tables.Run(Rules);
        try
        {
            LoadedRuleset ruleset = LoadedRuleset.Read();
            TrialSteps steps = new(ruleset, new RemovedPositions());
            using ShotReader reader = new(steps, readsIptables: false);
            using RawSender raw = new();
            using TrialConnections connections = new();
            ProbeTester tester = new(network, raw, reader, steps, ruleset, connections, testsReplies: false);
            Check(tester, ruleset, port: 1, FlowVerdict.Accepted);
            Check(tester, ruleset, port: 2, FlowVerdict.Dropped);
        }
        finally
        {
            tables.Delete("inet", Table);
        }
    }

    private static void Check(ProbeTester tester, LoadedRuleset ruleset, ushort port, FlowVerdict expected)
    {
        TrialResult result = tester.Test(new TrialProbe
        {
            Protocol = FlowProtocol.Udp,
            Src = IPAddress.Loopback,
            SrcPort = 40000,
            Dst = IPAddress.Loopback,
            DstPort = port,
        });
        int? rule = result.Rule is int number ? ruleset.Rules[number].Position : null;
        if (result.Verdict != expected || rule != port)
        {
            throw new ConntrackException(
                ConntrackErrorReason.TrialFailed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The trial's own test failed: a packet to port {port} should be {expected} by rule {port}, and is {result.Verdict} by rule {rule ?? 0}")
                + $"{(result.Reason is null ? "" : $" ({result.Reason})")}. Such a trial is not used.");
        }
    }
}
