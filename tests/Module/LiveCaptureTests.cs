using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Start-ConntrackCapture on a kernel.</summary>
public sealed class LiveCaptureTests : ModuleTest
{
    private readonly TempDirectory _folder = new();
    private readonly TestNamespace _host = new();

    public LiveCaptureTests() => Engine.Set("folder", _folder.Path);

    [Fact]
    public void It_captures_TCP_UDP_and_ICMP_with_counters()
    {
        Assert.Equal("Running", Engine.Line($"$capture = Start-ConntrackCapture live -NetworkNamespace {_host.Name} -Accounting; $capture.State"));
        Assert.NotEmpty(Traffic.OwnTables(_host));
        Assert.Equal("1", _host.ReadSetting("netfilter/nf_conntrack_acct"));
        Traffic.SendTcp(_host, 8081);
        Traffic.SendUdp(_host, 20000, 1);
        Traffic.Ping(_host);
        Engine.Lines("$capture | Stop-ConntrackCapture");

        Assert.Equal(
            ["True Local TimeWait True True"],
            Engine.Lines("$capture | Get-ConntrackFlow -Protocol Tcp -DstPort 8081 | ForEach-Object { \"$($_.Confirmed) $($_.Direction) $($_.TcpState) " +
                "$($_.Bytes -gt 1000) $($_.ReplyBytes -lt $_.Bytes)\" }"));
        Assert.Equal(["New 1 29 0"],
            Engine.Lines("$capture | Get-ConntrackFlow -Protocol Udp -SrcPort 20000 | ForEach-Object { \"$($_.State) $($_.Packets) $($_.Bytes) " +
                "$($_.ReplyPackets)\" }"));
        Assert.Equal(["8 True"], Engine.Lines("$capture | Get-ConntrackFlow -Protocol Icmp | ForEach-Object { \"$($_.IcmpType) $($_.Confirmed)\" }"));
        Assert.Equal(["0", "0"], Engine.Lines("$capture.Lost; $capture.Malformed"));
        Assert.Empty(Traffic.OwnTables(_host));
        Assert.Equal("0", _host.ReadSetting("netfilter/nf_conntrack_acct"));
    }

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("1d", 86400)]
    [InlineData("5", 5)]
    [InlineData("1.5", 1.5)]
    public void Its_duration_is_what_was_typed(string text, double seconds) =>
        Assert.Equal($"{TimeSpan.FromSeconds(seconds)}",
            Engine.Line($"(Start-ConntrackCapture -NetworkNamespace {_host.Name} -Duration {text}).Options.Duration.ToString()"));

    [Fact]
    public void It_runs_for_a_duration_that_is_longer_than_the_clock_can_count()
    {
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {_host.Name} -Duration ([timespan]::MaxValue)");
        Traffic.SendUdp(_host, 20100, 1);
        Eventually.True("the flow", () => Engine.Lines("$capture | Get-ConntrackFlow -SrcPort 20100").Length == 1);
        Assert.Equal("Running", Engine.Line("$capture.State"));
    }

    [Fact]
    public void Several_captures_run_at_once_each_with_the_flows_of_its_own_namespace()
    {
        using TestNamespace second = new();
        Engine.Lines($"$null = (Start-ConntrackCapture a -NetworkNamespace {_host.Name}), (Start-ConntrackCapture b -NetworkNamespace {second.Name}), " +
            $"(Start-ConntrackCapture c -NetworkNamespace {_host.Name} -Protocol Tcp)");
        Traffic.SendUdp(_host, 21000, 3);
        Traffic.SendUdp(second, 22000, 2);

        Assert.Equal(["3", "2", "0"],
            Engine.Lines("Stop-ConntrackCapture; foreach ($name in 'a', 'b', 'c') { @(Get-ConntrackFlow $name -SrcPort 21000-22999).Count }"));
    }

    [Fact]
    public void It_records_what_it_captures_and_the_replay_has_the_same_flows()
    {
        Engine.Lines($"$live = Start-ConntrackCapture live -NetworkNamespace {_host.Name} -RecordPath \"$folder/live.ctrec\"");
        Traffic.SendTcp(_host, 8082);
        Traffic.Ping(_host);
        Engine.Lines("$live | Stop-ConntrackCapture; $again = Start-ConntrackCapture again -ReplayPath \"$folder/live.ctrec\"");

        string[] flows = FlowText.Of(Engine.Objects("$live | Get-ConntrackFlow"));
        Assert.NotEmpty(flows);
        Assert.Equal(flows.Order(StringComparer.Ordinal), FlowText.Of(Engine.Objects("$again | Get-ConntrackFlow")).Order(StringComparer.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.File("live.ctrec")));
    }

    [Fact]
    public void A_recording_never_overwrites_a_file()
    {
        File.WriteAllText(_folder.File("mine.txt"), "mine");
        Engine.Fail($"Start-ConntrackCapture -NetworkNamespace {_host.Name} -RecordPath \"$folder/mine.txt\"", "RecordingFailed", ErrorCategory.OpenError);
        Assert.Equal("mine", File.ReadAllText(_folder.File("mine.txt")));
    }

    [Fact]
    public void A_namespace_that_is_not_there_leaves_no_empty_recording()
    {
        Engine.Fail("Start-ConntrackCapture -NetworkNamespace conntracker-nowhere -RecordPath \"$folder/left.ctrec\"",
            "NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound);
        Assert.Empty(Directory.GetFiles(_folder.Path));
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    [Fact]
    public void At_the_flow_limit_it_folds_and_loses_no_connection_in_silence()
    {
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {_host.Name} -MaximumFlows 1024 -Protocol Udp");
        Traffic.SendUdp(_host, 30000, 1500, port: 7);
        Engine.Lines("$capture | Stop-ConntrackCapture");

        Assert.Equal(["True", "True"], Engine.Lines("$capture.FlowCount -le 1024; $capture.Folded -gt 0"));
        Assert.Equal("True",
            Engine.Line("$sum = $capture.Lost; $capture | Get-ConntrackFlow -DstPort 7 | ForEach-Object { $sum += $_.Connections }; $sum -ge 1500"));
        Assert.Empty(Engine.Lines("$capture | Get-ConntrackFlow | Where-Object { $_.Folding -eq 'ClientPort' -and $null -ne $_.SrcPort }"));
    }

    [Fact]
    public void It_traces_each_flow_and_changes_no_rule_of_the_user()
    {
        Traffic.LoadRules(_host);
        string before = Traffic.RulesOf(_host);
        Assert.Equal(["Flows", "5", "True"],
            Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {_host.Name} -Trace Flows -TraceDuration 5s; $capture.Options.Trace; " +
                "$capture.Options.TraceDuration.TotalSeconds; \"$($capture.Notices)\" -like 'Connection tracking was not enabled*'"));
        Traffic.SendTcp(_host, 8080);
        Traffic.SendSyn(_host, 22);
        Traffic.SendSyn(_host, 23);
        Traffic.SendSyn(_host, 24);
        Assert.Equal(before, Traffic.RulesOf(_host));
        Engine.Lines("$capture | Stop-ConntrackCapture");

        Assert.Equal(
            [
                "22 Dropped inet guard services #1: tcp dport 22 drop comment \"no ssh\"",
                "23 Rejected inet guard input #1: tcp dport 23 reject with tcp reset",
                "24 Rejected inet guard services #2: tcp dport 24 reject with tcp reset",
                "8080 Accepted inet guard output #1: tcp dport 8080 accept",
            ],
            Engine.Lines("$capture | Get-ConntrackFlow -Protocol Tcp | ForEach-Object { \"$($_.DstPort) $($_.Verdict) $($_.VerdictRule)\" }")
                .Order(StringComparer.Ordinal));
        Assert.Equal(
            ["table: inet guard, chain: output, type: rule, position: 2 jump services", "table: inet guard, chain: services, type: rule, position: 1 drop"],
            Engine.Lines("($capture | Get-ConntrackFlow -DstPort 22).Trace | ForEach-Object { \"$_ $($_.Verdict)\" }"));
        Assert.Equal(["New Local False"],
            Engine.Lines("$capture | Get-ConntrackFlow -DstPort 22 | ForEach-Object { \"$($_.State) $($_.Direction) $($_.Confirmed)\" }"));
        Assert.Equal(["True", "0", "0"], Engine.Lines("$capture.NftablesTraces -gt 10; $capture.NftablesTracesLost; $capture.Malformed"));
        Assert.Empty(Traffic.OwnTables(_host));
        Assert.Equal(before, Traffic.RulesOf(_host));
    }

    [Theory]
    [InlineData("Everything", "Accepted", true)]
    [InlineData("None", "Unknown", false)]
    public void It_traces_every_packet_or_none(string mode, string verdict, bool hasTraces)
    {
        Traffic.LoadRules(_host);
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {_host.Name} -Trace {mode}");
        Traffic.SendTcp(_host, 8083);

        Assert.Equal([verdict, $"{hasTraces}"],
            Engine.Lines("$capture | Stop-ConntrackCapture; ($capture | Get-ConntrackFlow -DstPort 8083).Verdict; $capture.NftablesTraces -gt 20"));
    }

    [Fact]
    public void Without_libnftables_it_captures_and_warns_what_is_missing()
    {
        ToolResult result = WithoutLibrary("libnftables.so.1",
            $"$c = Start-ConntrackCapture -NetworkNamespace {_host.Name} -WarningVariable said -WarningAction SilentlyContinue; \"$($c.State) $said\"");
        Assert.Matches("^Running .*libnftables1", result.Output);
    }

    [Fact]
    public void Without_libpcap_packets_are_refused_and_nothing_else_is()
    {
        ToolResult result = WithoutLibrary("libpcap.so.0.8",
            $"try {{ Start-ConntrackCapture -PcapPath '{Repository.Fixtures}/office.pcap' }} catch {{ $_.FullyQualifiedErrorId; " +
                $"\"$($_.CategoryInfo.Category) $_\" }}; (Start-ConntrackCapture -ReplayPath '{Repository.Fixtures}/office.ctrec').FlowCount");
        Assert.Equal(["LibpcapNotFound,Conntracker.PowerShell.Commands.StartConntrackCaptureCommand", "15"], [result.Lines[0], result.Lines[^1]]);
        Assert.Matches("^NotInstalled .*libpcap", result.Lines[1]);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _host.Dispose();
            _folder.Dispose();
        }
    }

    // In a mount namespace of its own an empty file covers the library.
    private static ToolResult WithoutLibrary(string name, string script) => OtherPowerShell.Run(
        [
            "unshare", "--mount", "sh", "-c",
            $"for file in $(ldconfig -p | sed -n 's|.*{name} .*=> ||p'); do mount --bind /dev/null \"$(readlink -f \"$file\")\" || exit 77; done; exec \"$@\"",
            "sh",
        ],
        script);
}
