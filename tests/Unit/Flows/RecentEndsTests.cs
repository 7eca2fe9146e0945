using Conntracker.Core.Flows;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Which ends of connections are remembered.</summary>
public sealed class RecentEndsTests
{
    private readonly RecentEnds _ends = new();

    [Fact]
    public void Exactly_the_last_ends_are_remembered()
    {
        for (uint id = 0; id < 3 * RecentEnds.Capacity; id++)
        {
            _ends.Add(7, id);
            Assert.True(_ends.Contains(7, id, since: 0));
        }

        Assert.Equal(
            Enumerable.Range(2 * RecentEnds.Capacity, RecentEnds.Capacity),
            Enumerable.Range(0, 3 * RecentEnds.Capacity).Where(id => _ends.Contains(7, (uint)id, since: 0)));
    }

    [Fact]
    public void An_end_belongs_to_its_tuple_and_id()
    {
        _ends.Add(7, 1);
        Assert.Equal([true, false, false], [_ends.Contains(7, 1, 0), _ends.Contains(7, 2, 0), _ends.Contains(1, 7, 0)]);
    }

    [Fact]
    public void Nothing_has_ended_at_first()
    {
        Assert.False(_ends.Contains(0, 0, since: 0));
        Assert.Equal(0, _ends.Count);
    }

    [Fact]
    public void Only_ends_since_a_number_are_looked_at_when_that_is_wanted()
    {
        _ends.Add(7, 1);
        long since = _ends.Count;
        _ends.Add(7, 2);
        Assert.Equal([false, true], [_ends.Contains(7, 1, since), _ends.Contains(7, 2, since)]);
    }

    [Fact]
    public void A_connection_that_ends_again_after_its_id_was_used_again_is_remembered_from_its_last_end_on()
    {
        _ends.Add(7, 1);
        _ends.Remove(7, 1);
        Assert.False(_ends.Contains(7, 1, since: 0));
        Fill(RecentEnds.Capacity - 1);
        _ends.Add(7, 1);
        Fill(RecentEnds.Capacity - 1);
        Assert.True(_ends.Contains(7, 1, since: 0));
        Fill(1);
        Assert.False(_ends.Contains(7, 1, since: 0));
    }

    private void Fill(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _ends.Add(8, (uint)_ends.Count);
        }
    }
}
