using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Lines of iptables-legacy tell no verdict: it is that of the rule, and the rule is the one that the user wrote.</summary>
public sealed class IptablesVerdictTests
{
    private const string Answered = "1 filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT";

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_rule_that_accepts_or_drops_is_told_with_its_text_and_its_comment(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, Rules(family));

        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, $"""
            Accepted: filter FORWARD #2: -p udp -m udp --dport 7000 -m comment --comment plain -j ACCEPT
            1 filter FORWARD Rule 2 accept: -p udp -m udp --dport 7000 -m comment --comment plain -j ACCEPT # plain
            {Answered}
            """);

        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, """
            Dropped: filter FORWARD #3: -p udp -m udp --dport 7001 -m comment --comment "not \"this\" one" -j DROP
            1 filter FORWARD Rule 3 drop: -p udp -m udp --dport 7001 -m comment --comment "not \"this\" one" -j DROP # not "this" one
            """);

        network.Send(Tcp, family, 40013, 22);
        network.Expect(40013, """
            Dropped: filter SERVICES #4: -p tcp -m tcp --dport 22 -m comment --comment "no ssh" -j DROP
            1 filter FORWARD Rule 11 jump SERVICES: -p tcp -m tcp --dport 22 -j SERVICES
            1 filter SERVICES Rule 4 drop: -p tcp -m tcp --dport 22 -m comment --comment "no ssh" -j DROP # no ssh
            """);

        network.Send(Udp, family, 40014, 7014);
        network.Expect(40014, """
            Dropped: filter FORWARD policy DROP
            1 filter FORWARD Policy 12 drop
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_is_rejected_is_told_from_what_is_dropped(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, Rules(family));

        // What the firewall answers passes OUTPUT.
        network.Send(Tcp, family, 40002, 7002);
        network.Expect(40002, """
            Rejected: filter FORWARD #4: -p tcp -m tcp --dport 7002 -j REJECT --reject-with tcp-reset
            1 filter FORWARD Rule 4 reject: -p tcp -m tcp --dport 7002 -j REJECT --reject-with tcp-reset
            1 filter OUTPUT Policy 1 accept
            """);

        string reject = $"-p udp -m udp --dport 7003 -j REJECT --reject-with {Iptables.Prohibited(family)}";
        network.Send(Udp, family, 40003, 7003);
        network.Expect(40003, $"""
            Rejected: filter FORWARD #5: {reject}
            1 filter FORWARD Rule 5 reject: {reject}
            1 filter OUTPUT Policy 1 accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Jumps_gotos_and_returns_are_steps_and_the_verdict_is_that_of_the_rule_at_their_end(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, Rules(family));
        const string Services = "1 filter FORWARD Rule 6 jump SERVICES: -p udp -m udp --dport 7004:7006 -j SERVICES";

        network.Exchange(Udp, family, 40004, 7004);
        network.Expect(40004, $"""
            Accepted: filter SERVICES #1: -p udp -m udp --dport 7004 -j ACCEPT
            {Services}
            1 filter SERVICES Rule 1 accept: -p udp -m udp --dport 7004 -j ACCEPT
            {Answered}
            """);

        network.Send(Udp, family, 40005, 7005);
        network.Expect(40005, $"""
            Dropped: filter SERVICES #2: -p udp -m udp --dport 7005 -j DROP
            {Services}
            1 filter SERVICES Rule 2 drop: -p udp -m udp --dport 7005 -j DROP
            """);

        // Back by the end of the chain, and on.
        network.Send(Udp, family, 40006, 7006);
        network.Expect(40006, $"""
            Dropped: filter FORWARD policy DROP
            {Services}
            1 filter SERVICES Return 5 return
            1 filter FORWARD Rule 10 continue: -p udp -m udp --dport 7006 -j LOG --log-prefix "after "
            1 filter FORWARD Policy 12 drop
            """);

        network.Exchange(Udp, family, 40007, 7007);
        network.Expect(40007, $"""
            Accepted: filter SERVICES #3: -p udp -m udp --dport 7007 -j ACCEPT
            1 filter FORWARD Rule 7 goto SERVICES: -p udp -m udp --dport 7007:7008 -g SERVICES
            1 filter SERVICES Rule 3 accept: -p udp -m udp --dport 7007 -j ACCEPT
            {Answered}
            """);

        // A goto does not come back.
        network.Send(Udp, family, 40008, 7008);
        network.Expect(40008, """
            Dropped: filter FORWARD policy DROP
            1 filter FORWARD Rule 7 goto SERVICES: -p udp -m udp --dport 7007:7008 -g SERVICES
            1 filter SERVICES Return 5 return
            1 filter FORWARD Policy 12 drop
            """);

        network.Send(Udp, family, 40012, 7012);
        network.Expect(40012, """
            Dropped: filter FORWARD policy DROP
            1 filter FORWARD Rule 9 return: -p udp -m udp --dport 7012 -j RETURN
            1 filter FORWARD Policy 12 drop
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Three_jumps_deep_each_rule_and_each_return_is_a_step(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, Rules(family));
        const string Deep = """
            1 filter FORWARD Rule 8 jump ONE: -p udp -m udp --dport 7009:7011 -j ONE
            1 filter ONE Rule 1 continue: -j MARK --set-xmark 0x7/0xffffffff
            1 filter ONE Rule 2 jump TWO: -j TWO
            1 filter TWO Rule 1 jump THREE: -j THREE
            """;

        network.Exchange(Udp, family, 40009, 7009);
        network.Expect(40009, $"""
            Accepted: filter THREE #2: -p udp -m udp --dport 7009 -j ACCEPT
            {Deep}
            1 filter THREE Rule 1 continue: -p udp -m udp --dport 7009 -j LOG --log-prefix "three "
            1 filter THREE Rule 2 accept: -p udp -m udp --dport 7009 -j ACCEPT
            {Answered}
            """);

        network.Send(Udp, family, 40010, 7010);
        network.Expect(40010, $"""
            Dropped: filter FORWARD policy DROP
            {Deep}
            1 filter THREE Return 3 return
            1 filter TWO Rule 2 return: -p udp -m udp --dport 7010 -j RETURN
            1 filter ONE Return 3 return
            1 filter FORWARD Policy 12 drop
            """);

        // The kernel calls a rule without any match the chain's end: what it does, the rule tells.
        network.Send(Udp, family, 40011, 7011);
        network.Expect(40011, $"""
            Dropped: filter TWO #3: -j DROP
            {Deep}
            1 filter THREE Return 3 return
            1 filter TWO Rule 3 drop: -j DROP
            """);
    }

    private static string Rules(FlowFamily family) => $"""
        *filter
        :INPUT ACCEPT
        :FORWARD DROP
        :OUTPUT ACCEPT
        :SERVICES -
        :ONE -
        :TWO -
        :THREE -
        -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
        -A FORWARD -p udp -m udp --dport 7000 -m comment --comment plain -j ACCEPT
        -A FORWARD -p udp -m udp --dport 7001 -m comment --comment "not \"this\" one" -j DROP
        -A FORWARD -p tcp -m tcp --dport 7002 -j REJECT --reject-with tcp-reset
        -A FORWARD -p udp -m udp --dport 7003 -j REJECT --reject-with {Iptables.Prohibited(family)}
        -A FORWARD -p udp -m udp --dport 7004:7006 -j SERVICES
        -A FORWARD -p udp -m udp --dport 7007:7008 -g SERVICES
        -A FORWARD -p udp -m udp --dport 7009:7011 -j ONE
        -A FORWARD -p udp -m udp --dport 7012 -j RETURN
        -A FORWARD -p udp -m udp --dport 7006 -j LOG --log-prefix "after "
        -A FORWARD -p tcp -m tcp --dport 22 -j SERVICES
        -A SERVICES -p udp -m udp --dport 7004 -j ACCEPT
        -A SERVICES -p udp -m udp --dport 7005 -j DROP
        -A SERVICES -p udp -m udp --dport 7007 -j ACCEPT
        -A SERVICES -p tcp -m tcp --dport 22 -m comment --comment "no ssh" -j DROP
        -A ONE -j MARK --set-xmark 0x7/0xffffffff
        -A ONE -j TWO
        -A TWO -j THREE
        -A TWO -p udp -m udp --dport 7010 -j RETURN
        -A TWO -j DROP
        -A THREE -p udp -m udp --dport 7009 -j LOG --log-prefix "three "
        -A THREE -p udp -m udp --dport 7009 -j ACCEPT
        COMMIT
        """;
}
