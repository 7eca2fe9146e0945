using Conntracker.Core.Policies.TrialProcess;
using Xunit;

namespace Conntracker.Tests.Unit;

public sealed class RemovedPositionTests
{
    [Fact]
    public void A_rule_behind_deleted_ones_keeps_the_position_that_its_user_knows()
    {
        RemovedPositions removed = new();
        removed.Add(isIPv6: false, "filter", "INPUT", 5);
        removed.Add(isIPv6: false, "filter", "INPUT", 2);

        // Of 1 2 3 4 5 6, the rules 1 3 4 6 are left.
        Assert.Equal([1, 3, 4, 6], Enumerable.Range(1, 4).Select(each => removed.Original(false, "filter", "INPUT", each)));
        Assert.Equal(4, removed.Original(isIPv6: true, "filter", "INPUT", 4));
    }
}
