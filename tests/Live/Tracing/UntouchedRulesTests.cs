using System.Text.RegularExpressions;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>The user's rules are the same before, during and after a trace, however it ends, and they are what nft itself reports.</summary>
public sealed partial class UntouchedRulesTests
{
    private const string Rules = """
        table inet firewall {
          set open { type inet_service; elements = { 7000, 7001 }; }
          chain prerouting { type filter hook prerouting priority raw; policy accept; meta mark 7 counter; }
          chain forward { type filter hook forward priority filter; policy drop; ct state established accept; udp dport @open jump services; }
          chain services { udp dport 7000 accept; udp dport 7001 reject; }
        }
        table ip nat {
          chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
        }
        """;

    [Theory]
    [InlineData(TraceMode.Flows)]
    [InlineData(TraceMode.Everything)]
    public void The_ruleset_is_the_same_to_the_byte_before_during_and_after(TraceMode mode)
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        network.Live.Stop();
        string before = network.Firewall.Run("nft", "-a", "list", "ruleset");
        using (LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = mode }))
        {
            network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
            TraceText.Expect(live, flow => flow.SrcPort == 40000, Expected);
            string during = network.Firewall.Run("nft", "-a", "list", "ruleset");
            Assert.Contains("table inet conntracker {", during, StringComparison.Ordinal);
            Assert.Equal(before, WithoutOwn(during));
            live.Stop();
        }

        Assert.Equal(before, network.Firewall.Run("nft", "-a", "list", "ruleset"));
    }

    [Fact]
    public void The_ruleset_is_the_same_and_no_table_of_ours_is_left_when_the_program_is_killed()
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        network.Live.Stop();
        string before = network.Firewall.Run("nft", "-a", "list", "ruleset");
        using CommandLine program = new();
        using Tool tracing = program.Start(network.Firewall, "-t");
        Eventually.True("the rules that trace", () =>
            network.Firewall.Run("nft", "list", "table", "inet", "conntracker").Contains("chain prerouting", StringComparison.Ordinal));
        network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
        Eventually.True("the step in the log", () =>
            program.WriteLog(tracing).Contains("table: inet firewall, chain: services, type: rule, position: 1", StringComparison.Ordinal));
        Assert.Equal(before, WithoutOwn(network.Firewall.Run("nft", "-a", "list", "ruleset")));

        tracing.End("KILL");
        Eventually.Equal(() => before, () => network.Firewall.Run("nft", "-a", "list", "ruleset"));
    }

    [Fact]
    public void Each_packet_shows_the_rules_that_nft_monitor_trace_reports()
    {
        using TracedNetwork network = new(Rules, TraceMode.Everything, protocols: Udp);
        using Tool monitor = network.Firewall.Start("nft", "monitor", "trace");
        Eventually.True("nft listens", () =>
        {
            network.Send(Udp, FlowFamily.IPv4, 39999, 7002);
            return monitor.Output.Contains("udp sport 39999", StringComparison.Ordinal);
        });

        // The packet that is rejected makes another, of which nft reports too: it is not of the protocol that is compared.
        network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Send(Udp, FlowFamily.IPv4, 40001, 7002);
        network.Exchange(Udp, FlowFamily.IPv6, 40002, 7000);
        network.Send(Udp, FlowFamily.IPv6, 40003, 7003);
        foreach (int port in (int[])[40000, 40001, 40002, 40003])
        {
            Eventually.Equal(() => Reported(monitor.Output, port), () => string.Join('\n', network.Live.Flows.Where(flow => flow.SrcPort == port)
                .SelectMany(flow => flow.Trace).SelectMany(step => Enumerable.Repeat(Line(step), (int)step.Packets!.Value)).Order(StringComparer.Ordinal)));
            Assert.NotEmpty(Reported(monitor.Output, port));
        }

        static string Line(TraceStep step) =>
            step.Type == TraceStepType.Policy ? $"{step.Family} {step.Table} {step.Chain} policy {step.Verdict}"
                : $"{step.Family} {step.Table} {step.Chain} rule {step.Rule} (verdict {step.Verdict})";
    }

    private const string Expected = """
        Accepted: inet firewall services #1: udp dport 7000 accept
        2 inet firewall prerouting Policy 2 accept
        1 inet firewall forward Rule 2 jump services: udp dport @open jump services
        1 inet firewall services Rule 1 accept: udp dport 7000 accept
        1 ip nat postrouting Rule 1 accept: oifname "outside" masquerade
        1 inet firewall forward Rule 1 accept: ct state established accept
        """;

    // The rules and policies that nft reports of the packets from or to a client's port, one a line; our own table left out.
    private static string Reported(string output, int port)
    {
        string[] lines = output.Split('\n');
        HashSet<string> ids = [.. lines.Where(line => line.Contains($"udp sport {port} ", StringComparison.Ordinal)
            || line.Contains($"udp dport {port} ", StringComparison.Ordinal)).Select(line => TraceLine().Match(line).Groups["id"].Value)];
        return string.Join('\n', lines.Select(line => TraceLine().Match(line))
            .Where(line => line.Success && ids.Contains(line.Groups["id"].Value) && !line.Groups["text"].Value.Contains("packet: ", StringComparison.Ordinal))
            .Select(line => line.Groups["text"].Value.Trim())
            .Where(text => !text.StartsWith("inet conntracker ", StringComparison.Ordinal) && !text.Contains("verdict continue", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal));
    }

    private static string WithoutOwn(string ruleset) => ConntrackerTable().Replace(ruleset, "");

    [GeneratedRegex(@"^trace id (?<id>\w+) (?<text>.*)$")]
    private static partial Regex TraceLine();

    [GeneratedRegex(@"^table inet conntracker \{.*?^\}\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ConntrackerTable();
}
