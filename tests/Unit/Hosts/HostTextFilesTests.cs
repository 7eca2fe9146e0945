using Conntracker.Core.Hosts;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What a host's description has from text files and programs.</summary>
public sealed class HostTextFilesTests
{
    [Fact]
    public void IPv4_groups_are_those_that_programs_joined()
    {
        const string Text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
            + "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
            + "2\teth0      :     3      V3\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n"
            + "\t\t\t\t050102EF     2 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
            + "nonsense\n\t\t\t\tXY0000E0 1\n\t\t\t\t\n";
        Assert.Equal([(2, "224.0.0.251"), (2, "239.2.1.5")], MulticastGroups.ReadIPv4(Text.Split('\n')));
    }

    [Fact]
    public void IPv6_groups_are_those_that_programs_joined()
    {
        string[] lines =
        [
            "1    lo              ff020000000000000000000000000001     1 0000000C 0",
            "2    eth0            ff0200000000000000000000000000fb     1 0000000C 0",
            "2    eth0            ff0200000000000000000001ff005301     1 0000000C 0",
            "2    eth0            ff020000000000000000000000000002     1 0000000C 0",
            "2    eth0            ff050000000000000000000000000002     1 0000000C 0",
            "2    eth0            ff050000000000000000000000010003     1 0000000C 0",
            "2    eth0            ff0e1234000000000000000000000001     1 0000000C 0",
            "2    eth0            ff0e12",
            "",
            "x    eth0            ff0200000000000000000000000000fb     1 0000000C 0",
        ];
        Assert.Equal([(2, "ff02::fb"), (2, "ff05::1:3"), (2, "ff0e:1234::1")], MulticastGroups.ReadIPv6(lines));
    }

    [Fact]
    public void Names_have_the_first_number_of_each_and_not_more_than_the_limit()
    {
        string[] lines =
            ["root:x:0:0:root:/root:/bin/bash", "", "# no line", "alice:x:1000:", "root:x:7:7::/:", "bob:x:-1:", "carol:x:4294967295:", "dave:x:1003:"];
        Dictionary<string, uint> names = AccountNames.Read(lines, 3, out long beyond);
        Assert.Equal([("root", 0u), ("alice", 1000u), ("carol", uint.MaxValue)], names.Select(each => (each.Key, each.Value)));
        Assert.Equal(1, beyond);
    }

    [Fact]
    public void Each_set_has_its_own_lines_in_the_order_of_the_program()
    {
        const string First = "create bad hash:ip family inet hashsize 1024 maxelem 65536\nadd bad 198.51.100.1\nadd bad 198.51.100.2\n";
        const string Empty = "create empty hash:net family inet6\n";
        const string Last = "create all list:set size 8\nadd all bad";
        HostOmissions omissions = new();
        IReadOnlyList<FirewallIpSet> sets = IpSetReader.Parse(First + Empty + Last, omissions);
        Assert.Equal([("bad", First), ("empty", Empty), ("all", Last)], sets.Select(each => (each.Name, each.Text)));
        Assert.Empty(IpSetReader.Parse("", omissions));
        Assert.Empty(IpSetReader.Parse("add stray 192.0.2.1\n", omissions));
        Assert.Empty(omissions.ToNotices());
    }

    [Fact]
    public void Sets_beyond_the_limit_are_counted()
    {
        HostOmissions omissions = new();
        Assert.Equal(10_000, IpSetReader.Parse(string.Concat(Enumerable.Range(0, 10_003).Select(i => $"create s{i} hash:ip\n")), omissions).Count);
        Assert.Equal(["Sets of ipset left out beyond the limit of 10000: 3."], omissions.ToNotices());
    }

    [Theory]
    [InlineData("net.ipv4.ip_forward", true)]
    [InlineData("net.ipv4.conf.eth0/10.forwarding", true)]
    [InlineData("kernel.core_pattern", false)]
    [InlineData("net.ipv4..ip_forward", false)]
    [InlineData("net.//.kernel.core_pattern", false)]
    [InlineData("net./.x", false)]
    [InlineData("net.ipv4.a b", false)]
    [InlineData("net.", false)]
    public void Only_names_of_settings_of_the_network_are_names(string name, bool isName) => Assert.Equal(isName, HostSettings.IsName(name));
}
