using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Whether a process's number is the host's: if not, its command line would be another process's.</summary>
public sealed class PidNamespaceTests
{
    [Theory]
    [InlineData("pid:[4026531836]", true)]
    [InlineData("pid:[4026532584]", false)]
    [InlineData(null, true)]
    [InlineData("damaged", true)]
    public void The_hosts_first_namespace_is_known_by_its_inode(string? target, bool isFirst) =>
        Assert.Equal(isFirst, PidNamespace.IsFirst(target));
}
