using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

public class NflogGroupsTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData(null, "    5   1234     0 2   128      1  1")]
    [InlineData(1234u, "    0   1234     0 2   128      1  1")]
    [InlineData(3221225472u, "    5   1234     0 2   128      1  1\n    0 3221225472     0 2   128      1  1")]
    [InlineData(null, "    0")]
    [InlineData(null, "    0  -1")]
    public void Whoever_holds_the_group_is_named(uint? holder, string file) => Assert.Equal(holder, NflogGroups.Find(file.Split('\n')));

    [Fact]
    public void A_file_that_is_not_there_names_nobody() => Assert.Null(NflogGroups.HolderOfGroup0("/proc/self/no such file"));
}
