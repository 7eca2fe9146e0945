using System.Globalization;
using Conntracker.Core.Flows;
using Conntracker.Core.Processes;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The list of processes stays bounded, and keeps those that flows name.</summary>
public sealed class ProcessListTests
{
    private const int Many = 1_000_000;

    [Fact]
    public void A_million_processes_that_no_flow_names_leave_nothing_behind()
    {
        using FlowTable table = new(CaptureOptions.MinimumOfMaximumFlows);
        ProcessList list = new(table);
        for (int number = 1; number <= Many; number++)
        {
            list.Add(new ProcessReport(number, SocketScope.Here, ProcessMessages.Process(number, "short")));
        }

        Assert.Equal(0, list.LeftOut);
        Assert.InRange(list.Count, ProcessList.KeptYoungest, 131_072);
        Assert.True(list.Find(Many) >= 0);
        Assert.True(list.Find(Many - ProcessList.KeptYoungest) >= 0);
        Assert.Equal(-1, list.Find(1));
    }

    [Fact]
    public void A_process_that_a_flow_names_is_kept_however_many_come_after_it()
    {
        using CollectorProbe probe = new();
        probe.Report(1, "daemon");
        probe.Event(new Conn().New());
        probe.Sends(1, "192.0.2.2:40000", "198.51.100.2:443");
        byte[] frame = new byte[ProcessReport.MaximumMessageLength];
        for (int number = 2; number <= 200_000; number++)
        {
            int length = new ProcessReport(number, SocketScope.Here,
                ProcessMessages.Process(number, number.ToString(CultureInfo.InvariantCulture))).Write(frame);
            probe.Collector.Handle(MessageKind.Process, time: 0, frame.AsSpan(0, length));
        }

        Assert.Equal("daemon", probe.Flow().Process!.Name);
        Assert.Equal(0, probe.Counters.ProcessesLost);
    }

    [Fact]
    public void Processes_that_find_no_room_are_counted()
    {
        using FlowTable table = new(CaptureOptions.MinimumOfMaximumFlows);
        ProcessList list = new(table, maximum: 100);
        for (int number = 1; number <= 150; number++)
        {
            list.Add(new ProcessReport(number, SocketScope.Here, ProcessMessages.Process(number, "young")));
        }

        Assert.Equal(100, list.Count);
        Assert.Equal(50, list.LeftOut);
    }

    [Fact]
    public void Texts_of_any_kind_take_no_more_than_their_bound_and_what_is_left_out_is_counted()
    {
        const int Count = 1000;
        const int Bound = 1 << 20;
        string text = new('x', 4095);
        using FlowTable table = new(CaptureOptions.MinimumOfMaximumFlows);
        ProcessList list = new(table, maximumTextSize: Bound);
        for (int number = 1; number <= Count; number++)
        {
            FlowProcess process = new() { Id = number, Name = "long", Path = text, Cgroup = text, CommandLine = text };
            list.Add(new ProcessReport(number, SocketScope.Here, process));
        }

        FlowProcess[] all = [.. Enumerable.Range(1, Count).Select(number => list[list.Find(number)].Process)];
        Assert.InRange(all.Sum(each => 2L * $"{each.CommandLine}{each.Path}{each.Cgroup}".Length), Bound / 4, Bound);
        Assert.InRange(list.TextsLeftOut, Count - (Bound / text.Length), Count);
        Assert.All(all, each => Assert.NotEmpty(each.Name));
        Assert.Equal((text, text, text), (all[0].CommandLine, all[0].Path, all[0].Cgroup));
        Assert.Equal((text[..256], null, null), (all[100].CommandLine, all[100].Path, all[100].Cgroup));
    }

    [Fact]
    public void Long_texts_leave_room_for_short_ones()
    {
        string text = new('x', 4095);
        using FlowTable table = new(CaptureOptions.MinimumOfMaximumFlows);
        ProcessList list = new(table, maximumTextSize: 1 << 20);
        for (int number = 1; number <= 500; number++)
        {
            list.Add(new ProcessReport(number, SocketScope.Here, new FlowProcess { Id = number, Name = "long", Path = text, Cgroup = text }));
        }

        list.Add(new ProcessReport(501, SocketScope.Here, new FlowProcess { Id = 1, Name = "short", Path = "/bin/short", Cgroup = "/a" }));

        Assert.Equal(("/bin/short", "/a"), (list[list.Find(501)].Process.Path, list[list.Find(501)].Process.Cgroup));
        Assert.InRange(list.TextsLeftOut, 400, 499);
    }
}
