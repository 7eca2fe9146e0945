using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

public sealed class CurrentRulesetTests
{
    private const string Users =
        "table inet filter { # handle 1\n\tchain input { # handle 1\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";
    private const string Ours = "table inet conntracker { # handle 2\n\tflags owner\n\n\tchain tracking { # handle 1\n\t\tct state new # handle 2\n\t}\n}\n";
    private const string Lookalike = "table inet conntracker {\n\tchain input {\n\t\tcounter packets 0 bytes 0\n\t}\n}\n";
    private const string Managed =
        "# Warning: table ip6 nat is managed by iptables-nft, do not touch!\n"
        + "table ip6 nat {\n\tchain POSTROUTING {\n\t\txt target \"MASQUERADE\"\n\t}\n}\n";

    [Fact]
    public void Our_own_table_is_not_tried_with_the_users_rules()
    {
        Assert.Equal(Users, CurrentRulesets.WithoutForeignTables(Ours + Users, out _, out _));
        Assert.Equal(Lookalike, CurrentRulesets.WithoutForeignTables(Lookalike, out _, out _));
    }

    [Fact]
    public void Tables_of_iptables_nft_are_left_to_its_own_program_which_can_load_them()
    {
        string kept = CurrentRulesets.WithoutForeignTables(Managed + Users, out bool hasIptables, out bool hasIp6tables);

        Assert.Equal((Users, false, true), (kept, hasIptables, hasIp6tables));
    }
}
