using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The processes that are known stay bounded, whatever they call themselves.</summary>
public sealed class ProcessCacheTests
{
    private const int Many = 10_000;
    private const long Bound = 32 << 20;

    private readonly ProcessCache _cache = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Long_paths_and_cgroups_take_no_more_memory_than_command_lines(bool isPath)
    {
        string text = new('x', 4095);
        for (int id = 1; id <= Many; id++)
        {
            Exec(id, time: 1, isPath ? new ProcessFacts(null, text, default, null) : new ProcessFacts(null, null, new CgroupText(text, null, null), null));
        }

        int kept = Enumerable.Range(1, Many).Count(id => _cache.Find(id, ulong.MaxValue) is not null);
        Assert.InRange(kept * text.Length * sizeof(char), Bound / 2, Bound);
        Assert.NotNull(_cache.Find(Many, ulong.MaxValue));
    }

    [Fact]
    public void Renaming_does_not_move_the_bound()
    {
        string text = new('x', 4095);
        for (int round = 0; round < 50_000; round++)
        {
            Exec(id: 1, (ulong)round, ProcessFacts.None);
            _cache.Take(new ProcessEvent { Kind = ProcessEventKind.Rename, Process = 1, Name = "fifteen-letters" }, known: null);
        }

        for (int id = 2; id <= Many; id++)
        {
            Exec(id, time: 60_000, new ProcessFacts(text, null, default, null));
        }

        int kept = Enumerable.Range(2, Many).Count(id => _cache.Find(id, ulong.MaxValue) is not null);
        Assert.InRange(kept * text.Length * sizeof(char), Bound / 2, Bound);
    }

    [Fact]
    public void What_had_an_id_before_is_forgotten_with_its_memory()
    {
        string text = new('x', 4095);
        Exec(id: 1, time: 10, new ProcessFacts(text, null, default, null));
        Exec(id: 1, time: 20, ProcessFacts.None);
        for (int id = 2; id <= Many && _cache.Find(1, time: 10) is not null; id++)
        {
            Exec(id, time: 30, new ProcessFacts(text, null, default, null));
        }

        Assert.Null(_cache.Find(1, time: 10));
        Assert.NotNull(_cache.Find(1, time: 20));
    }

    private void Exec(int id, ulong time, ProcessFacts facts) =>
        _cache.Take(new ProcessEvent { Kind = ProcessEventKind.Exec, Process = id, Time = time }, new KnownProcess(id, time) { Name = "n", Facts = facts });
}
