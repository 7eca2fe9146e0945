using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Which process had an id when a socket was noted, where the host's forks and execs are not seen, or were lost.</summary>
public sealed class ProcessFinderTests
{
    private const int Id = 4711;
    private const ulong Second = 1_000_000_000;
    private const ulong NeverSeen = ulong.MaxValue;

    private readonly Lock _lock = new();
    private readonly ProcessCache _cache = new();
    private readonly FakeProcesses _processes = new();
    private readonly ProcessFinder _finder;

    public ProcessFinderTests() => _finder = new ProcessFinder(_cache, _lock, _processes);

    [Fact]
    public void A_process_whose_id_another_one_has_by_now_is_not_named()
    {
        _processes.Begin(Id, "old", at: 10 * Second);
        Assert.Equal("old", Find(at: 20 * Second, NeverSeen));

        _processes.Begin(Id, "new", at: 30 * Second);

        Assert.Equal("new", Find(at: 40 * Second, NeverSeen));
    }

    [Fact]
    public void An_exec_that_nobody_reported_is_seen_though_the_start_time_stays()
    {
        _processes.Begin(Id, "shell", at: 10 * Second);
        Assert.Equal("shell", Find(at: 20 * Second, NeverSeen));

        _processes.Exec(Id, "server");

        Assert.Equal("server", Find(at: 30 * Second, NeverSeen));
    }

    [Fact]
    public void A_look_up_of_now_asks_each_time()
    {
        _processes.Begin(Id, "old", at: 10 * Second);
        _processes.Now = 20 * Second;
        Assert.Equal("old", NameOf(_finder.Find(Id, ulong.MaxValue, NeverSeen)));

        _processes.Begin(Id, "new", at: 30 * Second);
        _processes.Now = 40 * Second;

        Assert.Equal("new", NameOf(_finder.Find(Id, ulong.MaxValue, NeverSeen)));
    }

    [Fact]
    public void A_process_is_read_once_and_looked_at_only_for_sockets_that_are_younger()
    {
        _processes.Begin(Id, "server", at: 10 * Second);
        KnownProcess first = _finder.Find(Id, 20 * Second, NeverSeen);
        _processes.Now = 30 * Second;
        Assert.Same(first, _finder.Find(Id, 29 * Second, NeverSeen));
        Assert.Same(first, _finder.Find(Id, 29 * Second, NeverSeen));
        Assert.Equal((1, 1), (_processes.Reads, _processes.Looks));
    }

    [Fact]
    public void Where_every_fork_is_seen_nothing_is_looked_at_again()
    {
        _processes.Begin(Id, "server", at: 10 * Second);
        KnownProcess first = _finder.Find(Id, 20 * Second, unseenUntil: 0);
        Assert.Same(first, _finder.Find(Id, 90 * Second, unseenUntil: 0));
        Assert.Equal((1, 0), (_processes.Reads, _processes.Looks));
    }

    [Fact]
    public void Forks_that_were_lost_make_what_was_known_before_doubtful_and_nothing_after()
    {
        Exec("old", at: 10 * Second);
        _processes.Begin(Id, "new", at: 20 * Second);
        Assert.Equal("old", Find(at: 29 * Second, unseenUntil: 0));
        Assert.Equal("new", Find(at: 40 * Second, unseenUntil: 30 * Second));

        int looks = _processes.Looks;
        Assert.Equal("new", Find(at: 50 * Second, unseenUntil: 30 * Second));
        Assert.Equal(looks, _processes.Looks);
    }

    [Fact]
    public void Of_a_process_that_has_ended_long_ago_nothing_is_said_and_of_one_that_ended_just_now_everything()
    {
        _processes.Begin(Id, "old", at: 10 * Second);
        Assert.Equal("old", Find(at: 20 * Second, NeverSeen));
        _processes.End(Id);
        Assert.Equal("old", Find(at: (20 * Second) + (Second / 20), NeverSeen));

        KnownProcess gone = _finder.Find(Id, 60 * Second, NeverSeen);

        Assert.Equal((Id, null, ProcessFacts.None), (gone.Id, gone.Name, gone.Facts));
        Assert.Same(gone, _finder.Find(Id, 70 * Second, NeverSeen));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(NeverSeen)]
    public void A_socket_that_was_noted_before_the_process_began_is_not_its(ulong unseenUntil)
    {
        _processes.Begin(Id, "innocent", at: 30 * Second);
        _processes.Now = 40 * Second;
        KnownProcess gone = _finder.Find(Id, 20 * Second, unseenUntil);
        Assert.Equal((Id, null, ProcessFacts.None), (gone.Id, gone.Name, gone.Facts));
        Assert.Same(gone, _finder.Find(Id, 20 * Second, unseenUntil));
        Assert.Equal("innocent", Find(at: 35 * Second, unseenUntil));
    }

    [Fact]
    public void A_socket_of_before_an_exec_that_was_seen_is_not_given_to_a_process_that_came_later()
    {
        Exec("innocent", at: 30 * Second);
        _processes.Begin(Id, "innocent", at: 30 * Second);
        Assert.Null(Find(at: 20 * Second, unseenUntil: 0));
        Assert.Equal("innocent", Find(at: 31 * Second, unseenUntil: 0));
    }

    [Fact]
    public void What_proc_says_is_read_though_the_name_holds_parentheses_and_spaces()
    {
        const string Fields = "S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1170584 3133440 414 18446744073709551615 1 2 140725046176032 0 0";
        Assert.True(ProcessStat.TryParse(System.Text.Encoding.UTF8.GetBytes($"52 (a) R 7 (b\n) {Fields}\n"), out ProcessStat stat));
        Assert.Equal(new ProcessStat(1170584, 140725046176032), stat);
        Assert.False(ProcessStat.TryParse(""u8, out _));
        Assert.False(ProcessStat.TryParse("52 (a) R 7"u8, out _));
    }

    private static string? NameOf(KnownProcess process) => process.Facts.CommandLine;

    private string? Find(ulong at, ulong unseenUntil)
    {
        _processes.Now = at;
        return NameOf(_finder.Find(Id, at, unseenUntil));
    }

    // As the proc connector reports it.
    private void Exec(string name, ulong at)
    {
        KnownProcess known = new(Id, at) { Name = name, Facts = FakeProcesses.Facts(name) };
        _cache.Take(new ProcessEvent { Kind = ProcessEventKind.Exec, Process = Id, Time = at }, known);
    }

    /// <summary>Processes that begin and end when a test says so.</summary>
    private sealed class FakeProcesses : IProcessReader
    {
        private readonly Dictionary<int, (string Name, ulong Since, ProcessStat Stat)> _all = [];
        private ulong _stack;

        public ulong Now { get; set; }

        public int Reads { get; private set; }

        public int Looks { get; private set; }

        public static ProcessFacts Facts(string name) => new(name, null, default, null);

        public void Begin(int id, string name, ulong at) => _all[id] = (name, at, new ProcessStat(at / 10_000_000, ++_stack));

        public void Exec(int id, string name) => _all[id] = (name, _all[id].Since, _all[id].Stat with { Stack = ++_stack });

        public void End(int id) => _all.Remove(id);

        public KnownProcess Read(int id, ulong since)
        {
            Reads++;
            return _all.TryGetValue(id, out (string Name, ulong Since, ProcessStat Stat) each)
                ? new KnownProcess(id, since == 0 ? each.Since : since) { Name = each.Name, Facts = Facts(each.Name), Stat = each.Stat, Proven = Now }
                : new KnownProcess(id, since) { Proven = Now };
        }

        public ProcessStat? ReadStat(int id)
        {
            Looks++;
            return _all.TryGetValue(id, out (string Name, ulong Since, ProcessStat Stat) each) ? each.Stat : null;
        }
    }
}
