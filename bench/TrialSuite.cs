using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;

namespace Conntracker.Bench;

/// <summary>How long a ruleset takes to be tried on 10,000 flows, with their answers, the start of the process included.</summary>
internal static class TrialSuite
{
    private const int Flows = 10_000;

    private static readonly string s_program = Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "..", "conntracker"));

    private static readonly FirewallHost s_router = new()
    {
        Interfaces =
        [
            new FirewallInterface { Name = "lo", Index = 1, Kind = "loopback", LinkType = 772, Addresses = ["127.0.0.1/8", "::1/128"] },
            new FirewallInterface { Name = "lan0", Index = 5, Addresses = ["10.0.0.1/16", "2001:db8:a::1/64"] },
            new FirewallInterface { Name = "wan0", Index = 9, Addresses = ["198.51.100.2/24", "2001:db8:b::2/64"] },
        ],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Gateway = "198.51.100.1", Interface = "wan0" },
            new FirewallRoute { Destination = "::/0", Gateway = "2001:db8:b::1", Interface = "wan0" },
        ],
        Settings = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["net.ipv6.conf.all.forwarding"] = "1" },
    };

    public static void Run(Report report, int rounds)
    {
        Flow[] flows = [.. Enumerable.Range(0, Flows).Select(Flow)];
        Measure(report, rounds, flows, rules: 200, limit: 1);
        Measure(report, rounds, flows, rules: 5_000, limit: 4);
    }

    private static void Measure(Report report, int rounds, Flow[] flows, int rules, double limit)
    {
        string ruleset = Ruleset(rules);
        List<double> starts = [];
        List<double> totals = [];
        int unknown = 0;
        for (int round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"bench: {Flows} flows against {rules} rules, round {round + 1} of {rounds} …");
            Stopwatch watch = Stopwatch.StartNew();
            using FirewallTrial trial = FirewallTrial.Start(new FirewallTrialOptions
            {
                Host = s_router,
                Rulesets = [new RulesetSource { Format = RulesetFormat.Nftables, Text = ruleset }],
                Program = s_program,
            });
            starts.Add(watch.Elapsed.TotalSeconds);
            int unclear = trial.Test(flows).Count(each =>
                each.Verdict == FlowVerdict.Unknown || (each.Verdict == FlowVerdict.Accepted && each.ReplyVerdict != FlowVerdict.Accepted));
            totals.Add(watch.Elapsed.TotalSeconds);
            unknown = Math.Max(unknown, unclear);
        }

        string count = rules.ToString("#,##0", CultureInfo.InvariantCulture);
        report.Add($"A ruleset of {count} rules tried on 10,000 flows and their answers (median)", Suite.Median(totals), "s", limit);
        report.AddReference("  of that, until the first flow can be tried (median)", Suite.Median(starts), "s");
        report.Add("  flows without a verdict, or accepted without their answer (worst round)", unknown, "flows", limit: 0);
    }

    // A quarter leaves the host, a quarter passes through it, half comes in; three in ten are of IPv6.
    private static Flow Flow(int i)
    {
        bool isIPv6 = i % 10 < 3;
        string inside = isIPv6 ? $"2001:db8:a::{(i % 997) + 16:x}" : $"10.0.{i % 200}.{(i % 250) + 2}";
        string outside = isIPv6 ? $"2001:db8:99::{i:x}" : $"203.0.{113 + (i % 3)}.{i % 256}";
        string own = isIPv6 ? "2001:db8:b::2" : "198.51.100.2";
        (string source, string destination) = (i % 4) switch { 0 => (own, outside), 1 => (inside, outside), _ => (outside, own) };
        return new Flow
        {
            Protocol = i % 3 == 0 ? FlowProtocol.Udp : FlowProtocol.Tcp,
            Family = isIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
            SrcAddress = IPAddress.Parse(source),
            SrcPort = (ushort)(20_000 + i),
            DstAddress = IPAddress.Parse(destination),
            DstPort = (ushort)(1 + (i % 6_000)),
        };
    }

    // Each hook has a chain of a third of the rules, one after another; three in ten of them ask a set of intervals.
    private static string Ruleset(int rules)
    {
        StringBuilder text = new("table inet filter {\n");
        for (int i = 0; i < 20; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $" set s{i} {{ type ipv4_addr; flags interval; elements = {{ 172.16.{i}.0/24, 172.17.{i}.0/25 }}; }}\n");
        }

        foreach (string hook in new[] { "input", "forward", "output" })
        {
            text.Append(CultureInfo.InvariantCulture, $" chain {hook} {{\n  type filter hook {hook} priority 0; policy drop;\n");
            text.Append("  ct state established,related accept\n");
            for (int i = 0; i < rules / 3; i++)
            {
                string protocol = i % 2 == 0 ? "tcp" : "udp";
                string match = i % 10 < 3 ? $"ip saddr @s{i % 20} " : "";
                text.Append(CultureInfo.InvariantCulture, $"  {match}{protocol} dport {1 + (i * 3)}-{2 + (i * 3)} {(i % 7 == 0 ? "drop" : "accept")}\n");
            }

            text.Append(" }\n");
        }

        return text.Append("}\n").ToString();
    }
}
