using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A packet passes all tables of its family: what one accepts another may still drop.</summary>
public sealed class TableTests
{
    // Out of order, to be sure that it is the priority that counts.
    private const string Rules = """
        table inet second {
          chain base {
            type filter hook forward priority filter; policy accept;
            udp dport 7000 drop comment "later"
            udp dport 7002 accept
            udp dport 7004 reject
          }
          chain early { type filter hook prerouting priority mangle; policy accept; udp dport 7006 drop; }
        }
        table ip6 first {
          chain base { type filter hook forward priority filter - 10; policy accept; udp dport { 7000, 7003 } accept; udp dport 7001 drop; }
        }
        table ip first {
          chain base { type filter hook forward priority filter - 10; policy accept; udp dport { 7000, 7003 } accept; udp dport 7001 drop; }
        }
        table ip third {
          chain base { type filter hook forward priority security; policy accept; udp dport { 7002, 7005 } accept; udp sport 7000-7999 accept; }
          chain last { type filter hook postrouting priority srcnat + 1; policy accept; udp dport 7007 drop; }
        }
        table ip6 third {
          chain base { type filter hook forward priority security; policy accept; udp dport { 7002, 7005 } accept; udp sport 7000-7999 accept; }
          chain last { type filter hook postrouting priority srcnat + 1; policy accept; udp dport 7007 drop; }
        }
        """;

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip")]
    [InlineData(FlowFamily.IPv6, "ip6")]
    public void What_one_table_accepts_and_a_later_one_drops_is_dropped_by_the_later_one(FlowFamily family, string table)
    {
        using TracedNetwork network = new(Rules);

        network.Send(Udp, family, 40000, 7000);
        network.Expect(40000, $$"""
            Dropped: inet second base #1: udp dport 7000 drop comment "later"
            1 inet second early Policy 2 accept
            1 {{table}} first base Rule 1 accept: udp dport { 7000, 7003 } accept
            1 inet second base Rule 1 drop: udp dport 7000 drop # later
            """);

        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, $$"""
            Dropped: {{table}} first base #2: udp dport 7001 drop
            1 inet second early Policy 2 accept
            1 {{table}} first base Rule 2 drop: udp dport 7001 drop
            """);

        // The answer is sent while the rule is at work, and passes the rules for what the host sends.
        network.Send(Udp, family, 40004, 7004);
        network.Expect(40004, $$"""
            Rejected: inet second base #3: udp dport 7004 reject
            1 inet second early Policy 2 accept
            1 {{table}} first base Policy 3 accept
            1 {{table}} third last Policy 2 accept
            1 inet second base Rule 3 reject: udp dport 7004 reject
            """);

        network.Send(Udp, family, 40006, 7006);
        network.Expect(40006, """
            Dropped: inet second early #1: udp dport 7006 drop
            1 inet second early Rule 1 drop: udp dport 7006 drop
            """);

        network.Send(Udp, family, 40007, 7007);
        network.Expect(40007, $$"""
            Dropped: {{table}} third last #1: udp dport 7007 drop
            1 inet second early Policy 2 accept
            1 {{table}} first base Policy 3 accept
            1 inet second base Policy 4 accept
            1 {{table}} third base Policy 3 accept
            1 {{table}} third last Rule 1 drop: udp dport 7007 drop
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip")]
    [InlineData(FlowFamily.IPv6, "ip6")]
    public void What_all_tables_accept_was_accepted_by_the_last_rule_that_says_so(FlowFamily family, string table)
    {
        using TracedNetwork network = new(Rules);

        network.Exchange(Udp, family, 40002, 7002);
        network.Expect(40002, $$"""
            Accepted: {{table}} third base #1: udp dport { 7002, 7005 } accept
            2 inet second early Policy 2 accept
            2 {{table}} first base Policy 3 accept
            1 inet second base Rule 2 accept: udp dport 7002 accept
            1 {{table}} third base Rule 1 accept: udp dport { 7002, 7005 } accept
            2 {{table}} third last Policy 2 accept
            1 inet second base Policy 4 accept
            1 {{table}} third base Rule 2 accept: udp sport 7000-7999 accept
            """);

        // A rule tells more than the policies after it.
        network.Exchange(Udp, family, 40003, 7003);
        network.Expect(40003, $$"""
            Accepted: {{table}} first base #1: udp dport { 7000, 7003 } accept
            2 inet second early Policy 2 accept
            1 {{table}} first base Rule 1 accept: udp dport { 7000, 7003 } accept
            2 inet second base Policy 4 accept
            1 {{table}} third base Policy 3 accept
            2 {{table}} third last Policy 2 accept
            1 {{table}} first base Policy 3 accept
            1 {{table}} third base Rule 2 accept: udp sport 7000-7999 accept
            """);

        // No rule at all: the last policy of a chain that filters what is forwarded.
        network.Send(Udp, family, 40008, 7008);
        Eventually.Equal(() => $"{table} third base policy accept", () => network.Live.Flows.SingleOrDefault(flow => flow.SrcPort == 40008)?.VerdictRule);
    }
}
