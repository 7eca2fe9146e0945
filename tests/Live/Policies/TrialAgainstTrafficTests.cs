using System.Globalization;
using System.Net;
using System.Text;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>What users would miss if it failed: what works in a trial works on the host, and what does not work there does not work in a trial.</summary>
public sealed class TrialAgainstTrafficTests
{
    private const int Ports = 12;
    private const ushort FirstPort = 5000;

    public static TheoryData<FlowFamily> Families => [FlowFamily.IPv4, FlowFamily.IPv6];

    [Theory]
    [MemberData(nameof(Families))]
    public void Random_rules_with_NAT_in_every_hook_do_to_a_trial_what_they_do_to_real_connections(FlowFamily family)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        using TrialLab lab = new(Enumerable.Range(FirstPort, Ports).Select(each => (ushort)each));
        string rules = RandomRules(random, family);
        lab.Network.Firewall.LoadRules(rules);

        bool[] worked = lab.AssertSame(Targets(lab, family), $"seed {seed}\n{rules}");

        Assert.InRange(worked.Count(each => each), 1, (4 * Ports) - 1);
    }

    [Fact]
    public void A_container_host_with_chains_of_both_engines_is_tried_as_it_is()
    {
        using TrialLab lab = new(22, 80, 3306, 8080);
        TestNamespace firewall = lab.Network.Firewall;
        firewall.LoadRules("""
            table inet guard {
                set admins { type ipv4_addr; flags interval; elements = { 192.0.2.0/28 }; }
                map services { type inet_service : verdict; elements = { 22 : accept, 80 : jump web, 3306 : drop }; }
                chain web { ct state new counter accept; }
                chain input {
                    type filter hook input priority 0; policy drop;
                    ct state vmap { established : accept, related : accept, invalid : drop }
                    iif "lo" accept
                    ip saddr @admins tcp dport vmap @services
                    meta l4proto ipv6-icmp accept
                }
            }
            """);
        foreach (string arguments in (string[])[
            "-t nat -N DOCKER",
            "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            "-t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
            "-t nat -A DOCKER ! -i outside -p tcp -m tcp --dport 8080 -j DNAT --to-destination 198.51.100.2:80",
            "-t nat -A POSTROUTING -s 192.0.2.0/24 ! -o inside -j MASQUERADE",
            "-N DOCKER-USER",
            "-N DOCKER",
            "-P FORWARD DROP",
            "-A FORWARD -j DOCKER-USER",
            "-A FORWARD -o outside -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A FORWARD -o inside -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A FORWARD -o outside -j DOCKER",
            "-A DOCKER -d 198.51.100.2/32 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A DOCKER-USER -p tcp -m tcp --dport 3306 -j REJECT --reject-with tcp-reset",
            "-A DOCKER-USER -j RETURN"])
        {
            firewall.Run("iptables-legacy", arguments.Split(' '));
        }

        (TestNamespace, IPEndPoint)[] targets =
        [
            .. new[] { 22, 80, 3306, 8080 }.SelectMany(port => new (TestNamespace, IPEndPoint)[]
            {
                (lab.Network.Client, new IPEndPoint(TestNetwork.ClientSide.Firewall(FlowFamily.IPv4), port)),
                (lab.Network.Client, new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), port)),
                (lab.Network.Client, new IPEndPoint(TestNetwork.ClientSide.Firewall(FlowFamily.IPv6), port)),
                (firewall, new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), port)),
                (firewall, new IPEndPoint(TestNetwork.ClientSide.Firewall(FlowFamily.IPv4), port)),
            }),
        ];

        Assert.InRange(lab.AssertSame(targets, "container host").Count(each => each), 8, targets.Length - 5);
    }

    private static List<(TestNamespace From, IPEndPoint To)> Targets(TrialLab lab, FlowFamily family)
    {
        List<(TestNamespace From, IPEndPoint To)> targets = [];
        for (int port = FirstPort; port < FirstPort + Ports; port++)
        {
            targets.Add((lab.Network.Client, new IPEndPoint(TestNetwork.ClientSide.Firewall(family), port)));
            targets.Add((lab.Network.Client, new IPEndPoint(TestNetwork.ServerSide.Host(family), port)));
            targets.Add((lab.Network.Firewall, new IPEndPoint(TestNetwork.ServerSide.Host(family), port)));
            targets.Add((lab.Network.Firewall, new IPEndPoint(TestNetwork.ClientSide.Firewall(family), port)));
        }

        return targets;
    }

    private static string RandomRules(Random random, FlowFamily family)
    {
        string ip = family == FlowFamily.IPv4 ? "ip" : "ip6";
        string server = TestNetwork.ServerSide.Host(family).ToString();
        string to = family == FlowFamily.IPv4 ? server : $"[{server}]";
        StringBuilder rules = new();
        rules.Append(CultureInfo.InvariantCulture, $"table {ip} nat {{\n chain pre {{\n  type nat hook prerouting priority -100;\n");
        for (int i = 0; i < 4; i++)
        {
            string target = random.Next(3) == 0 ? "redirect to " : $"dnat to {to}";
            rules.Append(CultureInfo.InvariantCulture, $"  tcp dport {Port(random)} {target}:{Port(random)}\n");
        }

        rules.Append(" }\n chain out {\n  type nat hook output priority -100;\n");
        rules.Append(CultureInfo.InvariantCulture, $"  tcp dport {Port(random)} dnat to {to}:{Port(random)}\n");
        rules.Append(" }\n chain post {\n  type nat hook postrouting priority 100;\n");
        rules.Append(CultureInfo.InvariantCulture, $"  oifname \"outside\" tcp dport {FirstPort}-{Port(random)} masquerade\n }}\n}}\n");
        foreach (string hook in new[] { "input", "forward", "output" })
        {
            string policy = random.Next(3) == 0 ? "drop" : "accept";
            rules.Append(CultureInfo.InvariantCulture, $"table inet {hook} {{\n chain {hook} {{\n");
            rules.Append(CultureInfo.InvariantCulture, $"  type filter hook {hook} priority 0; policy {policy};\n");
            rules.Append(random.Next(4) == 0 ? "" : "  ct state established,related accept\n");
            rules.Append("  meta l4proto ipv6-icmp accept\n");
            for (int i = 0; i < 6; i++)
            {
                string match = random.Next(4) switch { 0 => "ct status dnat ", 1 => "iifname \"inside\" ", _ => "" };
                string verdict = random.Next(3) switch { 0 => "drop", 1 => "reject with tcp reset", _ => "accept" };
                rules.Append(CultureInfo.InvariantCulture, $"  {(hook == "output" ? "" : match)}tcp dport {{ {Port(random)}, {Port(random)} }} {verdict}\n");
            }

            rules.Append(" }\n}\n");
        }

        return rules.ToString();
    }

    private static int Port(Random random) => FirstPort + random.Next(Ports);
}
