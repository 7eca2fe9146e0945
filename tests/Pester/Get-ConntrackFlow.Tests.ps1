BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Get-ConntrackFlow' {
    BeforeAll { $capture = Start-Office }
    AfterAll { Remove-ConntrackCapture * }

    It 'emits typed flows: of all captures, by name, by wildcards, by object' {
        Get-ConntrackFlow | Should -BeOfType Conntracker.Flow
        @(Get-ConntrackFlow).Count | Should -Be 15
        @(Get-ConntrackFlow office).Count | Should -Be 15
        @(Get-ConntrackFlow -Name o*).Count | Should -Be 15
        @(Get-ConntrackFlow -Capture $capture).Count | Should -Be 15
    }

    It '-FoldInternet sums up what a firewall rule does not tell apart, and leaves the rest' {
        $all = @(Get-ConntrackFlow)
        $folded = @(Get-ConntrackFlow -FoldInternet Both)
        ($folded | Measure-Object Connections -Sum).Sum | Should -Be ($all | Measure-Object Connections -Sum).Sum
        ($folded | Measure-Object Packets -Sum).Sum | Should -Be ($all | Measure-Object Packets -Sum).Sum
        $ends = $folded | Where-Object Direction -in In, Out
        $ends | Should -Not -BeNullOrEmpty
        @($ends | Where-Object { $null -ne $_.SrcPort -or $null -ne $_.IcmpId }) | Should -BeNullOrEmpty
        @($ends | Group-Object Direction, Protocol, SrcAddress, DstAddress, DstPort, IcmpType, IcmpCode, Zone | Where-Object Count -gt 1) | Should -BeNullOrEmpty
        @($folded | Where-Object Direction -notin In, Out).Count | Should -Be @($all | Where-Object Direction -notin In, Out).Count
        @($capture | Get-ConntrackFlow -FoldInternet None).Count | Should -Be $all.Count
        @(Get-ConntrackFlow -FoldInternet In -Protocol Tcp | Where-Object Protocol -ne Tcp) | Should -BeNullOrEmpty
        Get-Completion 'Get-ConntrackFlow -FoldInternet ' | Sort-Object | Should -Be Both, In, None, Out
    }

    It 'takes captures and names from the pipeline' {
        @($capture | Get-ConntrackFlow).Count | Should -Be 15
        @('office' | Get-ConntrackFlow).Count | Should -Be 15
        @([pscustomobject]@{ Name = 'office' } | Get-ConntrackFlow).Count | Should -Be 15
        @($capture, $capture | Get-ConntrackFlow).Count | Should -Be 30
    }

    It 'tells the whole story of a flow with NAT, in the types that PowerShell knows' {
        $flow = Get-ConntrackFlow -DstPort 8080
        $flow.SrcAddress | Should -BeOfType System.Net.IPAddress
        $flow.FirstSeen | Should -BeOfType System.DateTimeOffset
        "$($flow.SrcAddress)", $flow.SrcPort, "$($flow.DstAddress)" | Should -Be '10.1.0.2', 40003, '203.0.113.80'
        "$($flow.ReplySrcAddress)", $flow.ReplySrcPort, "$($flow.ReplyDstAddress)", $flow.ReplyDstPort | Should -Be '198.51.100.2', 80, '10.1.0.2', 40003
        $flow.IsNat, $flow.Confirmed, "$($flow.State)", "$($flow.TcpState)", "$($flow.Direction)" | Should -Be $true, $true, 'Assured', 'TimeWait', 'Forward'
        $flow.Packets, $flow.ReplyPackets, $flow.Bytes, $flow.ReplyBytes | ForEach-Object { $_ | Should -BeGreaterThan 3 }
        $flow.LastSeen | Should -BeGreaterOrEqual $flow.FirstSeen
        "$flow" | Should -Be 'Tcp 10.1.0.2:40003 -> 203.0.113.80:8080'
        (Get-ConntrackFlow -DstPort 53).ReplyDstAddress | Should -Be '198.51.100.1' -Because 'the source was translated'
    }

    It 'tells mark and zone, ICMP type and code, and the state of SCTP' {
        $zoned = Get-ConntrackFlow -SrcAddress 10.1.0.3
        $zoned.Mark, $zoned.Zone | Should -Be 42, 7
        $ping = Get-ConntrackFlow -Protocol IcmpV6
        $ping.IcmpType, $ping.IcmpCode, $ping.SrcPort | Should -Be 128, 0, $null
        "$((Get-ConntrackFlow -Protocol Sctp).SctpState)" | Should -Be Established
    }

    It 'filters: <Code> gives <Count>' -ForEach @(
        @{ Code = { Get-ConntrackFlow -Protocol Tcp }; Count = 5 }
        @{ Code = { Get-ConntrackFlow -Protocol 6 }; Count = 5 }
        @{ Code = { Get-ConntrackFlow -Protocol tcp, UDP }; Count = 8 }
        @{ Code = { Get-ConntrackFlow -Protocol 89 }; Count = 1 }
        @{ Code = { Get-ConntrackFlow -Protocol 200 }; Count = 0 }
        @{ Code = { Get-ConntrackFlow -Protocol '89', 200, Sctp }; Count = 2 }
        @{ Code = { Get-ConntrackFlow -SrcAddress 10.1.0.3 }; Count = 1 }
        @{ Code = { Get-ConntrackFlow -SrcAddress ([ipaddress] '10.1.0.3') }; Count = 1 }
        @{ Code = { Get-ConntrackFlow -SrcAddress 10.1.0.0/24 }; Count = 11 }
        @{ Code = { Get-ConntrackFlow -SrcAddress 10.1.0.2/30 }; Count = 8 }
        @{ Code = { Get-ConntrackFlow -SrcAddress 0.0.0.0/0 }; Count = 12 }
        @{ Code = { Get-ConntrackFlow -SrcAddress ::/0 }; Count = 3 }
        @{ Code = { Get-ConntrackFlow -DstAddress 2001:db8:2::/48 }; Count = 2 }
        @{ Code = { Get-ConntrackFlow -DstAddress 2001:db8::/32, 224.0.0.0/4 }; Count = 4 }
        @{ Code = { Get-ConntrackFlow -DstPort 443 }; Count = 2 }
        @{ Code = { Get-ConntrackFlow -DstPort 50-100 }; Count = 2 }
        @{ Code = { Get-ConntrackFlow -DstPort 22, 80-443 }; Count = 4 }
        @{ Code = { Get-ConntrackFlow -DstPort 0-65535 }; Count = 10 }
        @{ Code = { Get-ConntrackFlow -SrcPort 40000-40003 }; Count = 3 }
        @{ Code = { Get-ConntrackFlow -State New }; Count = 3 }
        @{ Code = { Get-ConntrackFlow -State Closed, Replied }; Count = 6 }
        @{ Code = { Get-ConntrackFlow -State Assured -Protocol Tcp -DstPort 443 -SrcAddress 2001:db8:1::2 }; Count = 1 }
        @{ Code = { Get-ConntrackFlow -State Assured -Protocol Udp }; Count = 0 }
        @{ Code = { Get-ConntrackFlow -Since '2000-01-01T00:00:00Z' }; Count = 15 }
        @{ Code = { Get-ConntrackFlow -Since ([DateTimeOffset]::Now.AddYears(1)) }; Count = 0 }) {
        @(& $Code).Count | Should -Be $Count
    }

    It '-Since counts what was seen at that very moment' {
        $newest = (Get-ConntrackFlow | Sort-Object LastSeen)[-1]
        Get-ConntrackFlow -Since $newest.LastSeen | ForEach-Object ConntrackId | Should -Contain $newest.ConntrackId
        Get-ConntrackFlow -Since $newest.LastSeen.AddTicks(1) | Should -BeNullOrEmpty
    }

    It 'refuses <What>' -ForEach @(
        @{ What = 'an address that is none'; Code = { Get-ConntrackFlow -SrcAddress 10.1.0.300 } }
        @{ What = 'a short address'; Code = { Get-ConntrackFlow -DstAddress '10.1' } }
        @{ What = 'a prefix that is too long'; Code = { Get-ConntrackFlow -DstAddress 10.0.0.0/33 } }
        @{ What = 'a port that is too high'; Code = { Get-ConntrackFlow -DstPort 65536 } }
        @{ What = 'a range that runs backwards'; Code = { Get-ConntrackFlow -DstPort 90-80 } }
        @{ What = 'a port that is a word'; Code = { Get-ConntrackFlow -SrcPort http } }
        @{ What = 'an unknown state'; Code = { Get-ConntrackFlow -State Open } }
        @{ What = 'a protocol number above 255'; Code = { Get-ConntrackFlow -Protocol 256 } }
        @{ What = 'a protocol number below 0'; Code = { Get-ConntrackFlow -Protocol -1 } }
        @{ What = 'a time that is none'; Code = { Get-ConntrackFlow -Since yesterday-ish } }) {
        $fault = try { & $Code } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^(ParameterArgumentTransformationError|CannotConvertArgument)'
        "$($fault.CategoryInfo.Category)" | Should -Match '^Invalid(Data|Argument)$'
    }

    It 'says that a capture is not there: CaptureNotFound' {
        Assert-Fault { Get-ConntrackFlow nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
        @(Get-ConntrackFlow nobody, office -ErrorAction SilentlyContinue).Count | Should -Be 15
    }

    It 'streams: Select-Object -First 1 ends it early' {
        $seen = 0
        Get-ConntrackFlow | ForEach-Object { $script:seen++; $_ } | Select-Object -First 1 | Should -BeOfType Conntracker.Flow
        $script:seen | Should -Be 1
    }

    It 'completes states and protocols' {
        Get-Completion 'Get-ConntrackFlow -State ' | Sort-Object | Should -Be Assured, Closed, New, Replied
        Get-Completion 'Get-ConntrackFlow -Protocol Ic' | Should -Be Icmp, IcmpV6
    }

    It 'tells a user without privileges what -Live needs: ConntrackPermissionDenied' {
        $other = Invoke-OtherPowerShell -Unprivileged 'try { Get-ConntrackFlow -Live } catch { $_.FullyQualifiedErrorId; "$($_.CategoryInfo.Category)"; $_.Exception.Message }'
        $other.Output | Should -Match '^ConntrackPermissionDenied,'
        $other.Output | Should -Match 'CAP_NET_ADMIN'
    }
}

Describe 'Get-ConntrackFlow of what was traced' {
    BeforeAll { $capture = Start-Firewall }
    AfterAll { Remove-ConntrackCapture * }

    It 'filters: -Verdict <Verdict> gives the destination ports <Ports>' -ForEach @(
        @{ Verdict = 'Accepted'; Ports = 80, 514 }, @{ Verdict = 'Dropped'; Ports = 22, 443 }, @{ Verdict = 'rejected'; Ports = 23, 53 }, @{ Verdict = 'Dropped', 'Rejected'; Ports = 22, 23, 53, 443 }
        @{ Verdict = 'Unknown'; Ports = @() }) {
        Get-ConntrackFlow -Verdict $Verdict | ForEach-Object DstPort | Sort-Object | Should -Be $Ports
    }

    It 'combines -Verdict with other filters' {
        (Get-ConntrackFlow -Verdict Dropped, Accepted -DstPort 1-100 -Protocol Tcp).DstPort | Sort-Object | Should -Be 22, 80
        Get-ConntrackFlow -Verdict Dropped -State Assured | Should -BeNullOrEmpty
    }

    It 'takes flows that were not traced for unknown ones' {
        $null = Start-Office
        @(Get-ConntrackFlow office -Verdict Unknown).Count, @(Get-ConntrackFlow office -Verdict Accepted).Count | Should -Be 15, 0
        Remove-ConntrackCapture office
    }

    It 'tells the steps of a flow in the types that PowerShell knows' {
        $flow = Get-ConntrackFlow -DstPort 80
        "$($flow.Verdict)", $flow.VerdictRule | Should -Be 'Accepted', 'inet firewall services #1: tcp dport 80 accept comment "the site"'
        $flow.Trace[0] | Should -BeOfType Conntracker.TraceStep
        $step = $flow.Trace[1]
        $step.Family, $step.Table, $step.Chain, $step.Hook, "$($step.Type)", $step.Position, $step.Verdict, $step.Rule, $step.Comment, $step.Packets, "$($step.Engine)" |
            Should -Be 'inet', 'firewall', 'services', 'forward', 'Rule', 1, 'accept', 'tcp dport 80 accept', 'the site', 1, 'Nftables'
        "$step" | Should -Be 'table: inet firewall, chain: services, type: rule, position: 1'
    }

    It 'writes the steps below the flow in a text log: <Style>' -ForEach @(@{ Style = 'V2'; Indent = ' ' * 32 }, @{ Style = 'V3'; Indent = "`t`t`t`t" }) {
        $lines = Get-ConntrackFlow -DstPort 443 | Format-ConntrackLog -Style $Style
        $lines | Select-Object -Skip 1 | Should -Be "${Indent}table: inet firewall, chain: forward, type: policy$(if ($Style -eq 'V2') { ', position: 3' })",
            "${Indent}table: inet firewall, chain: forward, type: rule, position: 2", "${Indent}table: inet firewall, chain: services, type: return, position: 4"
    }

    It 'refuses a verdict that there is not, and completes those that there are' {
        $fault = try { Get-ConntrackFlow -Verdict Lost } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^CannotConvertArgument'
        Get-Completion 'Get-ConntrackFlow -Verdict ' | Sort-Object | Should -Be Accepted, Dropped, Rejected, Unknown
    }
}

Describe 'Get-ConntrackFlow without a capture' {
    BeforeAll { Remove-ConntrackCapture * }

    It 'says so, and what to do: CaptureNotFound' {
        Assert-Fault { Get-ConntrackFlow -ErrorAction Stop } CaptureNotFound ObjectNotFound
        Get-ConntrackFlow -ErrorVariable fault -ErrorAction SilentlyContinue
        "$fault" | Should -Match 'Start-ConntrackCapture'
    }
}

Describe 'Get-ConntrackFlow in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterAll { Remove-TestNamespace $namespace }
    AfterEach { Remove-ConntrackCapture * }

    It '-Live reads the table once, and switches nothing on' -Skip:$noLive {
        $null = Start-ConntrackCapture -NetworkNamespace $namespace
        Send-Udp $namespace 24000 3
        Remove-ConntrackCapture *
        $flows = Get-ConntrackFlow -Live -NetworkNamespace $namespace -SrcPort 24000-24002
        @($flows).Count, "$($flows[0].Direction)" | Should -Be 3, Local
        @(Get-ConntrackFlow -Live -NetworkNamespace "/run/netns/$namespace" -Protocol Tcp -SrcPort 24000).Count | Should -Be 0
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'gives the counters of a running capture as they are now' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Accounting
        Send-Ping $namespace 3
        ($capture | Get-ConntrackFlow -Protocol Icmp | Measure-Object Packets -Sum).Sum | Should -Be 3
    }

    It 'says that a network namespace is not there: NetworkNamespaceNotFound' -Skip:$noLive {
        Assert-Fault { Get-ConntrackFlow -Live -NetworkNamespace ctpr-nowhere } NetworkNamespaceNotFound ObjectNotFound
        Assert-Fault { Get-ConntrackFlow -Live -NetworkNamespace /etc/passwd } NetworkNamespaceNotFound ObjectNotFound
    }
}
