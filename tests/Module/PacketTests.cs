using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Start-ConntrackCapture with packets as a source. office.pcap and office.pcapng hold the same 26 packets, and 7 flows.</summary>
public sealed class PacketTests : ModuleTest
{
    // Of a flow, what the tests compare.
    private const string Facts =
        "ForEach-Object { \"$($_.Protocol) $($_.SrcAddress):$($_.SrcPort) $($_.DstAddress):$($_.DstPort) $($_.Direction) $($_.State) " +
        "$($_.Packets)/$($_.ReplyPackets) $($_.Bytes)/$($_.ReplyBytes)\" }";

    private readonly TempDirectory _folder = new();

    public PacketTests()
    {
        Engine.Set("folder", _folder.Path);
        Engine.Set("pcap", Path.Join(Repository.Fixtures, "office.pcap"));
    }

    [Theory]
    [InlineData("office.pcap")]
    [InlineData("office.pcapng")]
    public void A_capture_file_is_read_to_its_end(string file)
    {
        string path = Path.Join(Repository.Fixtures, file);
        Engine.Set("path", path);
        Assert.Equal(
            ["Stopped Packet 7", "26 1 0 0 0", $"capture file {path}"],
            Engine.Lines("""
                $capture = Start-ConntrackCapture office -PcapPath $path -LocalAddress 192.0.2.10
                "$($capture.State) $($capture.Source) $($capture.FlowCount)"
                "$($capture.Packets) $($capture.PacketsSkipped) $($capture.PacketsLost) $($capture.Malformed) $($capture.Lost)"
                $capture.Options
                $capture.Error
                """).Where(line => line.Length > 0));
        Assert.Equal(
            new[]
            {
                "Tcp 192.0.2.10:40001 198.51.100.2:443 Out Closed 7/5 380/400",
                "Tcp 203.0.113.5:50000 192.0.2.10:22 In Assured 2/1 80/40",
                "Udp 192.0.2.10:41053 198.51.100.53:53 Out Replied 1/1 33/37",
                "Udp 192.0.2.10:9999 203.0.113.6:50001 Out Replied 1/1 58/33",
                "Icmp 192.0.2.10: 198.51.100.2: Out Replied 1/1 39/39",
                "Tcp 10.1.0.2:40002 198.51.100.2:80 Forward New 1/0 40/0",
                "Tcp 2001:db8:1::2:40004 2001:db8:2::2:443 Forward Assured 2/1 120/60",
            }.Order(StringComparer.Ordinal),
            Engine.Lines($"$capture | Get-ConntrackFlow | {Facts}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Flows_have_the_times_of_the_file() => Assert.Equal(
        [$"{DateTimeOffset.FromUnixTimeMilliseconds(1750000000000):O}", $"{DateTimeOffset.FromUnixTimeMilliseconds(1750000002500):O}"],
        Engine.Lines("Start-ConntrackCapture -PcapPath $pcap | Get-ConntrackFlow -SrcPort 40001 | " +
            "ForEach-Object { $_.FirstSeen.ToUniversalTime().ToString('O'); $_.LastSeen.ToUniversalTime().ToString('O') }"));

    [Fact]
    public void LocalAddress_says_whose_traffic_it_is()
    {
        Assert.DoesNotContain("Out", Engine.Lines("Start-ConntrackCapture -PcapPath $pcap | Get-ConntrackFlow | ForEach-Object Direction"));
        Assert.Equal(
            ["Out", "In", "Forward"],
            Engine.Lines("$null = Start-ConntrackCapture mine -PcapPath $pcap -LocalAddress 10.1.0.0/16, 2001:db8:2::/48; " +
                "foreach ($port in 40002, 40004, 40001) { (Get-ConntrackFlow mine -SrcPort $port).Direction }"));
    }

    [Theory]
    [InlineData("-Filter 'udp port 53'", 1)]
    [InlineData("-Filter 'vlan and tcp'", 1)]
    [InlineData("-Filter 'host 192.0.2.99'", 0)]
    [InlineData("-Protocol Icmp, Udp", 3)]
    public void Filter_and_Protocol_keep_what_is_wanted(string parameters, int flows) =>
        Assert.Equal($"{flows}", Engine.Line($"(Start-ConntrackCapture -PcapPath $pcap {parameters}).FlowCount"));

    [Fact]
    public void IncomingUdpPort_makes_the_traffic_of_a_service_incoming() => Assert.Equal(
        ["Udp 203.0.113.6:50001 192.0.2.10:9999 In Replied 1/1 33/58"],
        Engine.Lines("Start-ConntrackCapture -PcapPath $pcap -LocalAddress 192.0.2.10 -IncomingUdpPort 9999, 1194 | " +
            $"Get-ConntrackFlow -Protocol Udp -DstPort 9999 | {Facts}"));

    [Theory]
    [InlineData("[System.IO.DirectoryInfo]::new($fixtures).GetFiles('office.*') | Start-ConntrackCapture", "Conntrack 15, Packet 7, Packet 7")]
    [InlineData("[System.IO.DirectoryInfo]::new($fixtures).GetFiles('office.pcap*') | Start-ConntrackCapture -Filter udp -Source Packet", "Packet 2, Packet 2")]
    [InlineData("[pscustomobject]@{ PcapPath = $pcap }, [pscustomobject]@{ FullName = $pcap } | Start-ConntrackCapture -Protocol Icmp", "Packet 1, Packet 1")]
    [InlineData("[System.IO.FileInfo] $pcap | Start-ConntrackCapture -PcapPath { $_.FullName } -RecordPath \"$folder/piped.ctrec\"", "Packet 7")]
    [InlineData("$null = $ExecutionContext.SessionState.Path.SetLocation($fixtures); Start-ConntrackCapture -PcapPath ./office.pcap", "Packet 7")]
    public void Files_come_from_the_pipeline_capture_files_and_recordings_among_each_other(string script, string captures) =>
        Assert.Equal(captures.Split(", ")
            .Order(StringComparer.Ordinal), Engine.Lines($"{script} | ForEach-Object {{ \"$($_.Source) $($_.FlowCount)\" }}").Order(StringComparer.Ordinal));

    [Fact]
    public void Letters_that_are_wildcards_elsewhere_are_letters()
    {
        File.Copy(Path.Join(Repository.Fixtures, "office.pcap"), _folder.File("a[1].pcap"));
        Assert.Equal("7", Engine.Line("(Start-ConntrackCapture -PcapPath \"$folder/a[1].pcap\").FlowCount"));
    }

    [Theory]
    [InlineData("[System.IO.FileInfo] $office | Start-ConntrackCapture -Filter udp", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Start-ConntrackCapture -ReplayPath $pcap", "RecordingInvalid", ErrorCategory.InvalidData)]
    [InlineData("Start-ConntrackCapture -PcapPath \"$folder/none.pcap\"", "PcapFailed", ErrorCategory.OpenError)]
    [InlineData("Start-ConntrackCapture -PcapPath $folder", "PcapFailed", ErrorCategory.OpenError)]
    [InlineData("Start-ConntrackCapture -PcapPath $office", "PcapInvalid", ErrorCategory.InvalidData)]
    [InlineData("Start-ConntrackCapture -PcapPath \"$folder/empty.pcap\"", "PcapInvalid", ErrorCategory.InvalidData)]
    [InlineData("Start-ConntrackCapture -PcapPath \"$folder/usb.pcap\"", "LinkTypeUnknown", ErrorCategory.InvalidData)]
    [InlineData("Start-ConntrackCapture -PcapPath $pcap -Filter 'tcp prot 443'", "FilterInvalid", ErrorCategory.InvalidArgument)]
    public void What_cannot_be_read_is_an_error(string script, string id, ErrorCategory category)
    {
        File.WriteAllText(_folder.File("empty.pcap"), "");
        WritePcap("usb.pcap", linkType: 189);
        Engine.Fail(script, id, category);
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    [Fact]
    public void A_filter_that_is_none_is_refused_in_libpcaps_own_words() =>
        Assert.Matches("tcp prot 443.*(syntax|parse) error", Engine.Fail("Start-ConntrackCapture -PcapPath $pcap -Filter 'tcp prot 443'").ToString());

    [Fact]
    public void A_file_that_was_cut_off_is_read_up_to_there_and_the_capture_says_so()
    {
        File.WriteAllBytes(_folder.File("cut.pcap"), File.ReadAllBytes(Path.Join(Repository.Fixtures, "office.pcap"))[..^9]);
        Answer answer = Engine.Run("$capture = Start-ConntrackCapture -PcapPath \"$folder/cut.pcap\"; $capture.Packets; $capture.FlowCount");
        Assert.Empty(answer.Errors);
        Assert.Equal(["25", "7"], answer.Lines);
        Assert.Contains("cut.pcap", string.Join(' ', answer.Warnings.Append(Engine.Line("\"$($capture.Error)\""))), StringComparison.Ordinal);
    }

    [Fact]
    public void Packets_that_are_cut_off_are_counted_and_make_no_flow()
    {
        WritePcap("short.pcap", linkType: 1, [.. Enumerable.Repeat((byte)2, 12), 8, 0, 0x45, 0, 0, 40]);
        Assert.Equal(["1", "1", "0"], Engine.Lines("$c = Start-ConntrackCapture -PcapPath \"$folder/short.pcap\"; $c.Packets; $c.Malformed; $c.FlowCount"));
    }

    [Fact]
    public void A_recording_of_packets_has_the_same_flows()
    {
        Engine.Lines("$first = Start-ConntrackCapture first -PcapPath $pcap -LocalAddress 192.0.2.10 -RecordPath \"$folder/office.ctrec\"; " +
            "$again = Start-ConntrackCapture again -ReplayPath \"$folder/office.ctrec\" -LocalAddress 192.0.2.10");
        Assert.Equal(["Packet", "26", "1"], Engine.Lines("$again.Source; $again.Packets; $again.PacketsSkipped"));
        Assert.Equal(FlowText.Of(Engine.Objects("$first | Get-ConntrackFlow"))
            .Order(StringComparer.Ordinal), FlowText.Of(Engine.Objects("$again | Get-ConntrackFlow")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Reading_a_file_needs_no_privilege_and_an_interface_needs_CAP_NET_RAW()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged($"(Start-ConntrackCapture -PcapPath '{Repository.Fixtures}/office.pcap').FlowCount; " +
            $"try {{ Start-ConntrackCapture -Interface lo }} catch {{ $_.FullyQualifiedErrorId; \"$_\" }}");
        Assert.Equal(["7", "ConntrackPermissionDenied,Conntracker.PowerShell.Commands.StartConntrackCaptureCommand"], result.Lines[..2]);
        Assert.Contains("CAP_NET_RAW", result.Lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lo")]
    [InlineData("any")]
    public void Packets_of_an_interface_become_flows_without_connection_tracking(string name)
    {
        using TestNamespace host = new();
        Assert.Equal(
            ["Running Packet", $"packets of {name} in network namespace {host.Name}"],
            Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Interface {name}; " +
                "\"$($capture.State) $($capture.Source)\"; $capture.Options"));
        Assert.Empty(Traffic.OwnTables(host));
        Traffic.SendTcp(host, 8081);
        Traffic.SendUdp(host, 20000, 1);
        Traffic.Ping(host);
        Eventually.True("the ping", () => Engine.Lines("$capture | Get-ConntrackFlow -Protocol Icmp -State Replied").Length == 1);
        Engine.Lines("$capture | Stop-ConntrackCapture");

        Assert.Equal(
            ["Local Closed True 1 True True True"],
            Engine.Lines("$capture | Get-ConntrackFlow -Protocol Tcp -DstPort 8081 | ForEach-Object { \"$($_.Direction) $($_.State) $($_.Confirmed) " +
                "$($_.Connections) $($_.Bytes -gt 1000) $($_.Packets -gt 3) $($_.ReplyBytes -lt $_.Bytes)\" }"));
        Assert.Equal(["Udp 127.0.0.1:20000 127.0.0.1:9 Local New 1/0 29/0"],
            Engine.Lines($"$capture | Get-ConntrackFlow -Protocol Udp -SrcPort 20000 | {Facts}"));
        Assert.Equal(["8 True 1/1"],
            Engine.Lines("$capture | Get-ConntrackFlow -Protocol Icmp | ForEach-Object { \"$($_.IcmpType) $($_.Confirmed) " +
                "$($_.Packets)/$($_.ReplyPackets)\" }"));
        Assert.Equal(["True", "0", "0", "0"], Engine.Lines("$capture.Packets -gt 8; $capture.PacketsLost; $capture.Malformed; $capture.Events"));
    }

    [Fact]
    public void Source_Packet_alone_captures_every_interface_and_ends_after_its_duration()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {host.Name} -Source Packet -Filter 'udp dst port 9'");
        Traffic.SendUdp(host, 21000, 2);
        Traffic.Ping(host);
        Eventually.True("two flows", () => Engine.Line("$capture.FlowCount") == "2");
        Assert.Equal("2", Engine.Line("$capture | Stop-ConntrackCapture; $capture.Packets"));
        Assert.Equal(["Stopped"],
            Engine.Lines($"Start-ConntrackCapture -NetworkNamespace {host.Name} -Interface lo -Duration 300ms | Wait-ConntrackCapture | ForEach-Object State"));
    }

    [Theory]
    [InlineData("-Interface conntracker9", "InterfaceNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("-Interface down0", "InterfaceRefused", ErrorCategory.OpenError)]
    [InlineData("-Interface lo -Filter 'tcp prot 443'", "FilterInvalid", ErrorCategory.InvalidArgument)]
    public void An_interface_that_cannot_be_captured_is_an_error(string parameters, string id, ErrorCategory category)
    {
        using TestNamespace host = new();
        host.Run("ip", "link", "add", "down0", "type", "veth", "peer", "name", "down1");
        Engine.Fail($"Start-ConntrackCapture -NetworkNamespace {host.Name} {parameters}", id, category);
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    private void WritePcap(string name, uint linkType, params byte[][] packets)
    {
        using BinaryWriter file = new(File.Create(_folder.File(name)));
        foreach (uint number in (uint[])[0xA1B2C3D4, 0x40002, 0, 0, 262144, linkType])
        {
            file.Write(number);
        }

        foreach (byte[] packet in packets)
        {
            foreach (uint number in (uint[])[1750000000, 0, (uint)packet.Length, (uint)packet.Length])
            {
                file.Write(number);
            }

            file.Write(packet);
        }
    }
}
