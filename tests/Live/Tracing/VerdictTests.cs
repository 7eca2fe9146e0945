using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Whatever way a rule decides, the flow shows that rule and the way to it.</summary>
public sealed class VerdictTests
{
    private const string Rules = """
        table inet firewall {
          set open { type inet_service; elements = { 7001, 7002 }; }
          map verdicts { type inet_service : verdict; elements = { 7003 : accept, 7004 : drop, 7005 : jump services }; }
          chain forward {
            type filter hook forward priority filter; policy drop;
            ct state established,related counter accept
            udp dport 7000 counter accept comment "plain"
            udp dport @open accept
            udp dport vmap @verdicts
            udp dport 7006 drop comment "not \ this"
            tcp dport 7007 reject with tcp reset
            udp dport 7008 reject with icmpx admin-prohibited comment "go away"
            udp dport { 7009, 7015 } goto services
            udp dport { 7010, 7011 } jump one
            udp dport vmap { 7012 : accept, 7013 : drop }
            udp dport 7014 return
            udp dport { 7005, 7011 } counter
          }
          chain services {
            udp dport { 7005, 7009 } accept
          }
          chain one { counter jump two; }
          chain two { jump three; udp dport 7011 return; drop; }
          chain three { udp dport 7010 log prefix "three" accept; }
        }
        """;

    private const string Answered = "1 inet firewall forward Rule 1 accept: ct state established,related counter accept";

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Each_kind_of_verdict_shows_the_rule_that_decided_and_the_way_to_it(FlowFamily family)
    {
        using TracedNetwork network = new(Rules);

        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, $"""
            Accepted: inet firewall forward #2: udp dport 7000 counter accept comment "plain"
            1 inet firewall forward Rule 2 accept: udp dport 7000 counter accept # plain
            {Answered}
            """);

        network.Exchange(Udp, family, 40002, 7002);
        network.Expect(40002, $"""
            Accepted: inet firewall forward #3: udp dport @open accept
            1 inet firewall forward Rule 3 accept: udp dport @open accept
            {Answered}
            """);

        network.Exchange(Udp, family, 40003, 7003);
        network.Expect(40003, $"""
            Accepted: inet firewall forward #4: udp dport vmap @verdicts
            1 inet firewall forward Rule 4 accept: udp dport vmap @verdicts
            {Answered}
            """);

        network.Send(Udp, family, 40004, 7004);
        network.Expect(40004, """
            Dropped: inet firewall forward #4: udp dport vmap @verdicts
            1 inet firewall forward Rule 4 drop: udp dport vmap @verdicts
            """);

        network.Exchange(Udp, family, 40005, 7005);
        network.Expect(40005, $$"""
            Accepted: inet firewall services #1: udp dport { 7005, 7009 } accept
            1 inet firewall forward Rule 4 jump services: udp dport vmap @verdicts
            1 inet firewall services Rule 1 accept: udp dport { 7005, 7009 } accept
            {{Answered}}
            """);

        network.Send(Udp, family, 40006, 7006);
        network.Expect(40006, """
            Dropped: inet firewall forward #5: udp dport 7006 drop comment "not \ this"
            1 inet firewall forward Rule 5 drop: udp dport 7006 drop # not \ this
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_is_rejected_is_told_from_what_is_dropped(FlowFamily family)
    {
        using TracedNetwork network = new(Rules);

        network.Send(Tcp, family, 40007, 7007);
        network.Expect(40007, """
            Rejected: inet firewall forward #6: tcp dport 7007 reject with tcp reset
            1 inet firewall forward Rule 6 reject: tcp dport 7007 reject with tcp reset
            """);

        network.Send(Udp, family, 40008, 7008);
        network.Expect(40008, """
            Rejected: inet firewall forward #7: udp dport 7008 reject with icmpx admin-prohibited comment "go away"
            1 inet firewall forward Rule 7 reject: udp dport 7008 reject with icmpx admin-prohibited # go away
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Jumps_gotos_and_returns_are_steps_and_the_verdict_is_that_of_the_rule_at_their_end(FlowFamily family)
    {
        using TracedNetwork network = new(Rules);

        network.Exchange(Udp, family, 40009, 7009);
        network.Expect(40009, $$"""
            Accepted: inet firewall services #1: udp dport { 7005, 7009 } accept
            1 inet firewall forward Rule 8 goto services: udp dport { 7009, 7015 } goto services
            1 inet firewall services Rule 1 accept: udp dport { 7005, 7009 } accept
            {{Answered}}
            """);

        // A goto does not come back: the policy of the base chain decides at its end.
        network.Send(Udp, family, 40015, 7015);
        network.Expect(40015, """
            Dropped: inet firewall forward policy drop
            1 inet firewall forward Rule 8 goto services: udp dport { 7009, 7015 } goto services
            1 inet firewall services Return 2 return
            1 inet firewall forward Policy 13 drop
            """);

        network.Exchange(Udp, family, 40010, 7010);
        network.Expect(40010, $$"""
            Accepted: inet firewall three #1: udp dport 7010 log prefix "three" accept
            1 inet firewall forward Rule 9 jump one: udp dport { 7010, 7011 } jump one
            1 inet firewall one Rule 1 jump two: counter jump two
            1 inet firewall two Rule 1 jump three: jump three
            1 inet firewall three Rule 1 accept: udp dport 7010 log prefix "three" accept
            {{Answered}}
            """);

        // Three deep, and back: by the end of a chain, by a return, by the end of a chain.
        network.Send(Udp, family, 40011, 7011);
        network.Expect(40011, """
            Dropped: inet firewall forward policy drop
            1 inet firewall forward Rule 9 jump one: udp dport { 7010, 7011 } jump one
            1 inet firewall one Rule 1 jump two: counter jump two
            1 inet firewall two Rule 1 jump three: jump three
            1 inet firewall three Return 2 return
            1 inet firewall two Rule 2 return: udp dport 7011 return
            1 inet firewall one Return 2 return
            1 inet firewall forward Rule 12 continue: udp dport { 7005, 7011 } counter
            1 inet firewall forward Policy 13 drop
            """);

        network.Exchange(Udp, family, 40012, 7012);
        network.Expect(40012, $$"""
            Accepted: inet firewall forward #10: udp dport vmap { 7012 : accept, 7013 : drop }
            1 inet firewall forward Rule 10 accept: udp dport vmap { 7012 : accept, 7013 : drop }
            {{Answered}}
            """);

        network.Send(Udp, family, 40014, 7014);
        network.Expect(40014, """
            Dropped: inet firewall forward policy drop
            1 inet firewall forward Rule 11 return: udp dport 7014 return
            1 inet firewall forward Policy 13 drop
            """);
    }
}
