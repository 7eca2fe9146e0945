using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

public sealed class RulesetLinesTests
{
    [Fact]
    public void Each_rule_of_an_nft_file_has_the_line_on_which_it_begins()
    {
        const string Text = """
            #!/usr/sbin/nft -f
            flush ruleset
            define LAN = { 10.0.0.0/8,
                           192.168.0.0/16 } # home; and work {
            table inet filter {
                set blocked { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 }; }
                chain input {
                    type filter hook input priority 0; policy drop;
                    # a comment { with a brace
                    ct state established,related accept
                    iif lo accept; ip saddr @blocked drop

                    tcp dport {
                        22,
                        80
                    } accept
                    log prefix "a;b}{#c" counter
                    udp dport \
                        53 accept
                }
                chain forward { type filter hook forward priority 0; accept }
            }
            table nat {
                chain post { type nat hook postrouting priority 100; masquerade; }
            }
            add rule inet filter input drop
            """;

        Dictionary<(string Family, string Table, string Chain), List<int>> lines = RulesetLines.OfNftables(Text);

        Assert.Equal([10, 11, 11, 13, 17, 18, 26], lines[("inet", "filter", "input")]);
        Assert.Equal([21], lines[("inet", "filter", "forward")]);
        Assert.Equal([24], lines[("ip", "nat", "post")]);
        Assert.Equal(3, lines.Count);
    }

    [Fact]
    public void Each_rule_of_a_saved_file_has_its_line()
    {
        const string Text = "# Generated\n*filter\n:INPUT DROP [0:0]\n:own - [0:0]\n"
            + "-A INPUT -j own\n[5:60] -A own -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n";

        Dictionary<(string Family, string Table, string Chain), List<int>> lines = RulesetLines.OfIptables(Text, "ip");

        Assert.Equal([5, 7], lines[("ip", "filter", "INPUT")]);
        Assert.Equal([6], lines[("ip", "filter", "own")]);
        Assert.Equal([10], lines[("ip", "nat", "POSTROUTING")]);
    }

    [Theory]
    [InlineData("table inet f { chain a { type filter")]
    [InlineData("}}}} { \" table")]
    [InlineData("table inet f {\n chain a {\n \"")]
    public void A_file_that_makes_no_sense_is_no_error(string text) => Assert.NotNull(RulesetLines.OfNftables(text));
}
