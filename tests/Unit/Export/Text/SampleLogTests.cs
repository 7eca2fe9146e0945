using System.Text;
using Conntracker.Core.Export.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class SampleLogTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Fixtures", "logs");

    public static TheoryData<string> Samples => [.. Directory.GetFiles(Folder).Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_real_log_of_any_generation_is_read_and_written_back_byte_for_byte(string name)
    {
        byte[] original = File.ReadAllBytes(Path.Combine(Folder, name));

        List<TextLogLine> lines = Logs.ReadLines(original);
        byte[] written = Logs.WriteLines(lines, TextLogLine.StyleOf(lines));

        Assert.Equal(Encoding.UTF8.GetString(original), Encoding.UTF8.GetString(written));
    }

    [Theory]
    [InlineData("v1-flows.log", LogStyle.V1)]
    [InlineData("v2-trace.log", LogStyle.V2)]
    [InlineData("v3-flows.log", LogStyle.V3)]
    [InlineData("v3-trace.log", LogStyle.V3)]
    [InlineData("v3-trace-process.log", LogStyle.V3)]
    public void The_generation_of_a_log_is_told_from_its_lines(string name, LogStyle style) =>
        Assert.Equal(style, TextLogLine.StyleOf(Logs.ReadLines(File.ReadAllBytes(Path.Combine(Folder, name)))));

    [Fact]
    public void Flows_of_an_old_log_keep_confirmation_ports_and_trace()
    {
        List<Flow> flows = Logs.Read(File.ReadAllBytes(Path.Combine(Folder, "v2-trace.log")));

        Assert.Equal(53, flows.Count);
        Assert.Equal("Tcp 127.0.0.1:1024 -> 127.0.0.1:33988", flows[1].ToString());
        Assert.True(flows[1].Confirmed);
        Assert.Equal(FlowState.Replied, flows[1].State);
        Assert.Equal(23, flows[1].Trace.Count);
        Assert.Equal("table: raw, chain: PREROUTING, type: policy, position: 8", flows[1].Trace[0].ToString());
        Assert.False(flows[3].Confirmed);
        Assert.Equal(FlowState.New, flows[3].State);
    }

    [Fact]
    public void Both_lines_of_an_answered_flow_come_back_as_one_flow_to_its_service()
    {
        List<Flow> flows = Logs.Read(File.ReadAllBytes(Path.Combine(Folder, "v3-flows.log")));

        Assert.Equal(
            [
                "Tcp 10.250.97.1:2049 -> 10.250.97.151:677",
                "Tcp 10.250.97.151:46660 -> 192.168.200.114:22",
                "Udp 127.0.0.1:34091 -> 127.0.0.1:8080",
                "Icmp 10.250.97.151 -> 8.8.4.4",
                "Icmp 10.250.97.151 -> 8.8.8.8",
            ],
            flows.Select(flow => flow.ToString()));
        Assert.Equal([true, true, true, false, false], flows.Select(flow => flow.Confirmed));
        Assert.Equal("192.168.200.114", flows[1].ReplySrcAddress?.ToString());
        Assert.Equal((ushort)46660, flows[1].ReplyDstPort);
    }

    [Fact]
    public void Two_processes_that_talk_to_each_other_are_not_taken_for_one_flow()
    {
        List<Flow> flows = Logs.Read(File.ReadAllBytes(Path.Combine(Folder, "v3-trace-process.log")));

        Flow ssh = Assert.Single(flows, flow => flow.Protocol == FlowProtocol.Tcp);
        Assert.Equal(("ssh", 5057, "rafaeldtinoco"), (ssh.Process!.Name, ssh.Process.Id, ssh.Process.UserName));
        Assert.Equal([5042, 5044], flows.Where(flow => flow.Protocol == FlowProtocol.Udp).Select(flow => flow.Process!.Id));
    }
}
