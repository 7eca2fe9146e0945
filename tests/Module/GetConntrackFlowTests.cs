using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-ConntrackFlow on recordings; office.ctrec has 15 flows, firewall.ctrec 6 that were traced.</summary>
public sealed class GetConntrackFlowTests : ModuleTest
{
    [Theory]
    [InlineData("Get-ConntrackFlow", 15)]
    [InlineData("Get-ConntrackFlow office", 15)]
    [InlineData("Get-ConntrackFlow -Name o*", 15)]
    [InlineData("Get-ConntrackFlow -Capture $capture", 15)]
    [InlineData("$capture | Get-ConntrackFlow", 15)]
    [InlineData("$capture, $capture | Get-ConntrackFlow", 30)]
    [InlineData("'office' | Get-ConntrackFlow", 15)]
    [InlineData("[pscustomobject]@{ Name = 'office' } | Get-ConntrackFlow", 15)]
    [InlineData("Get-ConntrackFlow -Protocol Tcp", 5)]
    [InlineData("Get-ConntrackFlow -Protocol 6", 5)]
    [InlineData("Get-ConntrackFlow -Protocol tcp, UDP", 8)]
    [InlineData("Get-ConntrackFlow -Protocol 89", 1)]
    [InlineData("Get-ConntrackFlow -Protocol 200", 0)]
    [InlineData("Get-ConntrackFlow -Protocol '89', 200, Sctp", 2)]
    [InlineData("Get-ConntrackFlow -SrcAddress 10.1.0.3", 1)]
    [InlineData("Get-ConntrackFlow -SrcAddress ([ipaddress] '10.1.0.3')", 1)]
    [InlineData("Get-ConntrackFlow -SrcAddress 10.1.0.0/24", 11)]
    [InlineData("Get-ConntrackFlow -SrcAddress 10.1.0.2/30", 8)]
    [InlineData("Get-ConntrackFlow -SrcAddress 0.0.0.0/0", 12)]
    [InlineData("Get-ConntrackFlow -SrcAddress ::/0", 3)]
    [InlineData("Get-ConntrackFlow -DstAddress 2001:db8:2::/48", 2)]
    [InlineData("Get-ConntrackFlow -DstAddress 2001:db8::/32, 224.0.0.0/4", 4)]
    [InlineData("Get-ConntrackFlow -DstPort 443", 2)]
    [InlineData("Get-ConntrackFlow -DstPort 50-100", 2)]
    [InlineData("Get-ConntrackFlow -DstPort 22, 80-443", 4)]
    [InlineData("Get-ConntrackFlow -DstPort 0-65535", 10)]
    [InlineData("Get-ConntrackFlow -SrcPort 40000-40003", 3)]
    [InlineData("Get-ConntrackFlow -State New", 3)]
    [InlineData("Get-ConntrackFlow -State Closed, Replied", 6)]
    [InlineData("Get-ConntrackFlow -State Assured -Protocol Tcp -DstPort 443 -SrcAddress 2001:db8:1::2", 1)]
    [InlineData("Get-ConntrackFlow -State Assured -Protocol Udp", 0)]
    [InlineData("Get-ConntrackFlow -Since '2000-01-01T00:00:00Z'", 15)]
    [InlineData("Get-ConntrackFlow -Since ([DateTimeOffset]::Now.AddYears(1))", 0)]
    [InlineData("Get-ConntrackFlow -Verdict Unknown", 15)]
    [InlineData("Get-ConntrackFlow -Verdict Accepted", 0)]
    [InlineData("Get-ConntrackFlow -ProcessName *", 0)]
    [InlineData("Get-ConntrackFlow -ProcessId 1", 0)]
    [InlineData("Get-ConntrackFlow -UserName root", 0)]
    [InlineData("Get-ConntrackFlow -FoldInternet None", 15)]
    public void It_emits_the_flows_that_were_asked_for(string script, int count)
    {
        ReplayOffice();
        IReadOnlyList<PSObject> flows = Engine.Objects(script);
        Assert.Equal(count, flows.Count);
        Assert.All(flows, flow => Assert.Equal("Conntracker.Flow", flow.TypeNames[0]));
    }

    [Theory]
    [InlineData("-SrcAddress 10.1.0.300")]
    [InlineData("-DstAddress '10.1'")]
    [InlineData("-DstAddress 10.0.0.0/33")]
    [InlineData("-DstPort 65536")]
    [InlineData("-DstPort 90-80")]
    [InlineData("-SrcPort http")]
    [InlineData("-State Open")]
    [InlineData("-Verdict Lost")]
    [InlineData("-Protocol 256")]
    [InlineData("-Protocol -1")]
    [InlineData("-Since yesterday-ish")]
    [InlineData("-FoldInternet Some")]
    public void A_value_that_is_none_is_refused_when_it_is_bound(string parameters)
    {
        ErrorRecord error = Engine.Fail($"Get-ConntrackFlow {parameters}");
        Assert.Matches("^(ParameterArgumentTransformationError|CannotConvertArgument)", error.FullyQualifiedErrorId);
        Assert.Contains(error.CategoryInfo.Category, new[] { ErrorCategory.InvalidData, ErrorCategory.InvalidArgument });
    }

    [Fact]
    public void A_flow_with_NAT_has_both_tuples_state_and_counters()
    {
        ReplayOffice();
        Assert.Equal(
            [
                "Tcp 10.1.0.2:40003 -> 203.0.113.80:8080", "198.51.100.2:80 -> 10.1.0.2:40003",
                "True True Assured TimeWait Forward", "True True", "System.Net.IPAddress System.DateTimeOffset",
            ],
            Engine.Lines("""
                $flow = Get-ConntrackFlow -DstPort 8080
                "$flow"
                "$($flow.ReplySrcAddress):$($flow.ReplySrcPort) -> $($flow.ReplyDstAddress):$($flow.ReplyDstPort)"
                "$($flow.IsNat) $($flow.Confirmed) $($flow.State) $($flow.TcpState) $($flow.Direction)"
                $large = @($flow.Packets, $flow.ReplyPackets, $flow.Bytes, $flow.ReplyBytes | Where-Object { $_ -gt 3 })
                "$($large.Count -eq 4) $($flow.LastSeen -ge $flow.FirstSeen)"
                "$($flow.SrcAddress.GetType().FullName) $($flow.FirstSeen.GetType().FullName)"
                """));
        Assert.Equal("198.51.100.1", Engine.Line("(Get-ConntrackFlow -DstPort 53).ReplyDstAddress"));
    }

    [Fact]
    public void A_flow_has_mark_zone_ICMP_type_and_the_state_of_its_protocol()
    {
        ReplayOffice();
        Assert.Equal(["42", "7"], Engine.Lines("$flow = Get-ConntrackFlow -SrcAddress 10.1.0.3; $flow.Mark; $flow.Zone"));
        Assert.Equal(["128", "0", "True"], Engine.Lines("$flow = Get-ConntrackFlow -Protocol IcmpV6; $flow.IcmpType; $flow.IcmpCode; $null -eq $flow.SrcPort"));
        Assert.Equal("Established", Engine.Line("(Get-ConntrackFlow -Protocol Sctp).SctpState"));
    }

    [Theory]
    [InlineData("In", "10.1.0.1:22", "10.1.0.9:5000")]
    [InlineData("Out", "10.1.0.9:5000", "10.1.0.1:22")]
    [InlineData("Forward", "10.1.0.9:5000", "10.1.0.1:22")]
    public void A_flow_names_its_ends_as_Get_NetTCPConnection_does(string direction, string local, string remote)
    {
        using TempDirectory folder = new();
        string path = folder.File("flow.csv");
        File.WriteAllText(path,
            $"Direction,Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort,ReplySrcAddress,ReplySrcPort\n" +
            $"{direction},Tcp,IPv4,10.1.0.9,5000,10.1.0.1,22,10.1.0.1,22\n");
        Engine.Set("path", path);

        Assert.Equal(
            [local, remote, ""],
            Engine.Lines("Import-ConntrackLog $path | ForEach-Object { \"$($_.LocalAddress):$($_.LocalPort)\"; \"$($_.RemoteAddress):$($_.RemotePort)\"; " +
                "\"$($_.OwningProcess)\" }"));
    }

    [Fact]
    public void Since_counts_what_was_seen_at_that_very_moment()
    {
        ReplayOffice();
        Assert.Equal(
            ["True", "0"],
            Engine.Lines("""
                $newest = $null
                Get-ConntrackFlow | ForEach-Object { if (-not $newest -or $_.LastSeen -gt $newest.LastSeen) { $newest = $_ } }
                (Get-ConntrackFlow -Since $newest.LastSeen).ConntrackId -contains $newest.ConntrackId
                @(Get-ConntrackFlow -Since $newest.LastSeen.AddTicks(1)).Count
                """));
    }

    [Fact]
    public void FoldInternet_sums_up_what_a_rule_does_not_tell_apart_and_leaves_the_rest()
    {
        ReplayOffice();
        const string Facts = " | ForEach-Object { $c += $_.Connections; $p += $_.Packets; if ($_.Direction -in 'In', 'Out') { $ends += 1 } else { $rest += " +
            "1 } }; $c; $p; $rest";
        string[] all = Engine.Lines($"$c = $p = $ends = $rest = 0; Get-ConntrackFlow{Facts}");
        Assert.Equal(all, Engine.Lines($"$c = $p = $ends = $rest = 0; Get-ConntrackFlow -FoldInternet Both{Facts}"));
        Assert.Equal("0", Engine.Line("@(Get-ConntrackFlow -FoldInternet Both | Where-Object { $_.Direction -in 'In', 'Out' -and ($null -ne $_.SrcPort -or " +
            "$null -ne $_.IcmpId) }).Count"));
        string[] keys = Engine.Lines("Get-ConntrackFlow -FoldInternet Both | Where-Object Direction -in In, Out | " +
            "ForEach-Object { \"$($_.Direction) $($_.Protocol) $($_.SrcAddress) $($_.DstAddress) $($_.DstPort) $($_.IcmpType) $($_.Zone)\" }");
        Assert.NotEmpty(keys);
        Assert.Equal(keys.Distinct(), keys);
        Assert.Equal(["Tcp"], Engine.Lines("(Get-ConntrackFlow -FoldInternet In -Protocol Tcp).Protocol").Distinct());
    }

    [Fact]
    public void A_name_that_stands_for_none_is_an_error_and_the_others_flows_are_given()
    {
        ReplayOffice();
        Answer answer = Engine.Run("Get-ConntrackFlow nobody, office");
        Assert.Equal((15, "CaptureNotFound"), (answer.Output.Count, Assert.Single(answer.ErrorIds)));
    }

    [Fact]
    public void Without_a_capture_it_says_what_to_do()
    {
        ErrorRecord error = Engine.Fail("Get-ConntrackFlow", "CaptureNotFound", ErrorCategory.ObjectNotFound);
        Assert.Contains("Start-ConntrackCapture", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Flows_leave_one_by_one_so_that_a_pipeline_can_end_early()
    {
        ReplayOffice();
        Assert.Equal("1", Engine.Line("$seen = 0; foreach ($once in 1) { Get-ConntrackFlow | ForEach-Object { $seen++; break } }; $seen"));
    }

    [Theory]
    [InlineData("Accepted", "514 80")]
    [InlineData("Dropped", "22 443")]
    [InlineData("rejected", "23 53")]
    [InlineData("Dropped, Rejected", "22 23 443 53")]
    [InlineData("Unknown", "")]
    public void It_chooses_by_verdict(string verdict, string ports)
    {
        ReplayFirewall();
        Assert.Equal(ports.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Engine.Lines($"Get-ConntrackFlow -Verdict {verdict} | ForEach-Object DstPort").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Verdict_goes_together_with_other_choices()
    {
        ReplayFirewall();
        Assert.Equal(["22", "80"], Engine.Lines("(Get-ConntrackFlow -Verdict Dropped, Accepted -DstPort 1-100 -Protocol Tcp).DstPort")
            .Order(StringComparer.Ordinal));
        Assert.Empty(Engine.Lines("Get-ConntrackFlow -Verdict Dropped -State Assured"));
    }

    [Fact]
    public void A_traced_flow_has_its_steps_with_rule_text_and_counts()
    {
        ReplayFirewall();
        Assert.Equal(
            [
                "Accepted", "inet firewall services #1: tcp dport 80 accept comment \"the site\"", "Conntracker.TraceStep",
                "inet firewall services forward Rule 1 accept tcp dport 80 accept/the site 1 Nftables",
                "table: inet firewall, chain: services, type: rule, position: 1",
            ],
            Engine.Lines("""
                $flow = Get-ConntrackFlow -DstPort 80
                $flow.Verdict
                $flow.VerdictRule
                $flow.Trace[0].GetType()
                $step = $flow.Trace[1]
                $where = "$($step.Family) $($step.Table) $($step.Chain) $($step.Hook) $($step.Type) $($step.Position)"
                "$where $($step.Verdict) $($step.Rule)/$($step.Comment) $($step.Packets) $($step.Engine)"
                "$step"
                """));
    }

    [Fact]
    public void A_user_without_privileges_reads_what_Live_needs()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged(
            "try { Get-ConntrackFlow -Live } catch { $_.FullyQualifiedErrorId; \"$($_.CategoryInfo.Category)\"; $_.Exception.Message }");
        Assert.Equal(["ConntrackPermissionDenied,Conntracker.PowerShell.Commands.GetConntrackFlowCommand", "PermissionDenied"], result.Lines[..2]);
        Assert.Contains("CAP_NET_ADMIN", result.Lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Live_reads_the_kernels_table_once_and_switches_nothing_on()
    {
        using TestNamespace host = new();
        Engine.Lines($"$null = Start-ConntrackCapture -NetworkNamespace {host.Name}");
        Traffic.SendUdp(host, 24000, 3);
        Engine.Lines("Remove-ConntrackCapture *");

        Assert.Equal(["Local", "Local", "Local"],
            Engine.Lines($"Get-ConntrackFlow -Live -NetworkNamespace {host.Name} -SrcPort 24000-24002 | ForEach-Object Direction"));
        Assert.Empty(Engine.Lines($"Get-ConntrackFlow -Live -NetworkNamespace /run/netns/{host.Name} -Protocol Tcp"));
        Assert.Empty(Traffic.OwnTables(host));
        Assert.Empty(Engine.Lines("Get-ConntrackCapture"));
    }

    [Fact]
    public void Counters_of_a_capture_that_runs_are_those_of_now()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting");
        Traffic.Ping(host, 3);
        Assert.Equal(["3", "3"], Engine.Lines("$capture | Get-ConntrackFlow -Protocol Icmp | ForEach-Object { $_.Packets; $_.ReplyPackets }"));
    }

    [Theory]
    [InlineData("conntracker-nowhere")]
    [InlineData("/etc/passwd")]
    public void A_namespace_that_is_none_is_an_error(string name)
    {
        TestNamespace.NeedRoot();
        Engine.Fail($"Get-ConntrackFlow -Live -NetworkNamespace {name}", "NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound);
    }

    private void ReplayOffice() => Engine.Lines("$capture = Start-ConntrackCapture office -ReplayPath $office");

    private void ReplayFirewall() => Engine.Lines("$capture = Start-ConntrackCapture firewall -ReplayPath $firewall");
}
