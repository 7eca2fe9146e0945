using Conntracker.Core.Netlink;
using Xunit;

namespace Conntracker.Tests.Unit;

public class NetlinkSocketDropsTests
{
    private const string Text = """
        sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
        0000000000000000 0   4711       00000000 0        0        0     2        5        4711
        0000000000000000 12  4711       00000007 212992   0        0     2        123456   4712
        0000000000000000 12  4294962796 00000007 0        0        0     2        9        4713
        0000000000000000 12  cut        off
        0000000000000000 12  77         00000007 0        0        0     2        0        4714
        """;

    [Theory]
    [InlineData("the socket's own drops", 12, 4711u, 123456L)]
    [InlineData("another protocol's socket of the same number", 0, 4711u, 5L)]
    [InlineData("a number above the greatest int", 12, 4294962796u, 9L)]
    [InlineData("none dropped", 12, 77u, 0L)]
    [InlineData("not listed", 12, 78u, null)]
    public void The_drops_are_those_of_this_very_socket(string name, int protocol, uint portId, long? expected) =>
        Assert.True(NetlinkSocketDrops.Find(Text.Split('\n'), protocol, portId) == expected, name);

    [Fact]
    public void A_file_that_is_not_there_tells_nothing() => Assert.Null(NetlinkSocketDrops.Read("/nowhere/netlink", 12, 1));
}
