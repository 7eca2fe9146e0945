using System.Globalization;
using Conntracker.Core.Decoding;
using Conntracker.Core.Flows;
using Conntracker.Core.Processes;
using Conntracker.Core.Sources;
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
            list.Add(new ProcessReport(number, SocketScope.Here, ProcessFrames.Process(number, "short")));
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
        byte[] frame = new byte[ProcessReport.MaximumFrameLength];
        for (int number = 2; number <= 200_000; number++)
        {
            int length = new ProcessReport(number, SocketScope.Here, ProcessFrames.Process(number, number.ToString(CultureInfo.InvariantCulture))).Write(frame);
            probe.Collector.Handle(FrameKind.Process, time: 0, frame.AsSpan(0, length));
        }

        Assert.Equal("daemon", probe.Flow().Process!.Name);
        Assert.Equal(0, probe.Receipt.ProcessesLost);
    }

    [Fact]
    public void Processes_that_find_no_room_are_counted()
    {
        using FlowTable table = new(CaptureOptions.MinimumOfMaximumFlows);
        ProcessList list = new(table, maximum: 100);
        for (int number = 1; number <= 150; number++)
        {
            list.Add(new ProcessReport(number, SocketScope.Here, ProcessFrames.Process(number, "young")));
        }

        Assert.Equal(100, list.Count);
        Assert.Equal(50, list.LeftOut);
    }
}
