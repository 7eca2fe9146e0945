# The module between commands that only a whole PowerShell has. What the cmdlets do by themselves is tested in tests/Module.
BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Flows between the commands of PowerShell' {
    BeforeAll { $null = Start-Office; $null = Start-Firewall }
    AfterAll { Remove-ConntrackCapture * }

    It 'are grouped, sorted and counted' {
        Get-ConntrackFlow office | Group-Object Protocol | Sort-Object @{ Expression = 'Count'; Descending = $true }, Name | Select-Object -First 3 | ForEach-Object { "$($_.Count) $($_.Name)" } | Should -Be '5 Tcp', '3 Icmp', '3 Udp'
        (Get-ConntrackFlow office | Measure-Object Connections -Sum).Sum | Should -Be 15
        Get-ConntrackFlow office -Protocol Tcp | Sort-Object DstPort -Unique | ForEach-Object DstPort | Should -Be 22, 80, 443, 8080
    }

    It 'answer what the firewall drops, and why' {
        Get-ConntrackFlow firewall -Verdict Dropped, Rejected | Group-Object VerdictRule | Sort-Object Name | ForEach-Object { "$($_.Count) $($_.Name)" } | Should -Be @(
            '1 inet firewall forward policy drop', '1 inet firewall input #1: tcp dport 23 reject with tcp reset',
            '1 inet firewall services #2: tcp dport 22 drop comment "no ssh"', '1 inet firewall services #3: udp dport 53 reject')
    }

    It 'leave one by one, so that Select-Object -First ends the command' {
        $seen = 0
        Get-ConntrackFlow office | ForEach-Object { $script:seen++; $_ } | Select-Object -First 1 | Should -BeOfType Conntracker.Flow
        $script:seen | Should -Be 1
    }

    It 'become JSON and CSV by ConvertTo-Json and ConvertTo-Csv, with names instead of numbers' {
        $there = Get-ConntrackFlow office -DstPort 8080 | Select-Object Protocol, @{ Name = 'Source'; Expression = { "$($_.SrcAddress)" } }, DstPort | ConvertTo-Json -EnumsAsStrings | ConvertFrom-Json
        $there.Protocol, $there.Source, $there.DstPort | Should -Be Tcp, '10.1.0.2', 8080
        (Get-ConntrackFlow office -DstPort 8080 | ConvertTo-Csv | ConvertFrom-Csv).State | Should -Be Assured
    }

    It 'come out of the files of Export-ConntrackLog by ConvertFrom-Json and Import-Csv' {
        Get-ConntrackFlow office | Export-ConntrackLog TestDrive:/flows.json -Format Json
        $there = Get-Content TestDrive:/flows.json -Raw | ConvertFrom-Json
        $there.Count, $there[2].ReplySrcAddress, $there[2].State | Should -Be 15, '198.51.100.2', 'Assured'
        Get-ConntrackFlow office | Export-ConntrackLog TestDrive:/flows.csv -Format Csv
        $rows = Import-Csv TestDrive:/flows.csv
        $rows.Count, $rows[2].DstPort | Should -Be 15, '8080'
    }
}

Describe 'Files between the commands of PowerShell' {
    AfterEach { Remove-ConntrackCapture * }

    It 'are replayed and read from Get-ChildItem, and on drives of PowerShell' {
        Copy-Item (Get-Fixture office.pcap), (Get-Fixture office.ctrec), (Get-Fixture v1.log) TestDrive:/
        Get-ChildItem TestDrive:/office.* | Sort-Object Name | Start-ConntrackCapture | ForEach-Object { "$($_.Source) $($_.FlowCount)" } | Should -Be 'Conntrack 15', 'Packet 7'
        (Start-ConntrackCapture -ReplayPath TestDrive:/office.ctrec).FlowCount | Should -Be 15
        @(Get-ChildItem TestDrive:/*.log | Import-ConntrackLog).Count | Should -Be 5
    }
}

Describe 'Jobs' {
    AfterEach { Get-Job | Remove-Job -Force; Remove-ConntrackCapture * }

    It 'run the module in a process of their own and hand flows back' {
        $flows = Start-Job -ArgumentList (Get-ModulePath), (Get-Fixture firewall.ctrec) {
            param($module, $recording)
            Import-Module $module
            Start-ConntrackCapture -ReplayPath $recording | Get-ConntrackFlow -Verdict Dropped
        } | Receive-Job -Wait
        $flows | ForEach-Object { $_.PSObject.TypeNames[0] } | Select-Object -Unique | Should -Be Deserialized.Conntracker.Flow
        $flows.VerdictRule | Should -Contain 'inet firewall services #2: tcp dport 22 drop comment "no ssh"'
        $flows[0].Trace[0].Chain | Should -Be forward
    }

    It 'watch a capture with another runspace while traffic passes' -Tag Live -Skip:$noLive {
        $namespace = New-TestNamespace
        $shell = [powershell]::Create().AddScript("Import-Module '$(Get-ModulePath)'; Watch-ConntrackFlow live -SrcPort 24000-24999 -Count 1")
        try {
            $null = Start-ConntrackCapture live -NetworkNamespace $namespace
            $watch = $shell.BeginInvoke()
            $port = 24000
            Wait-Until 'the flow' { Send-Udp $namespace $port 1; $script:port++; $watch.IsCompleted } -Seconds 30
            $shell.EndInvoke($watch).SrcPort | Should -BeGreaterOrEqual 24000
        }
        finally {
            $shell.Stop()
            $shell.Dispose()
            Remove-ConntrackCapture *
            Remove-TestNamespace $namespace
        }
    }
}

Describe 'What is sent to another session' {
    AfterEach { Remove-ConntrackCapture * }

    It 'shows captures alike, with what they were asked for' {
        $null = Start-ConntrackCapture -Name office -PcapPath (Get-Fixture office.pcap)
        $null = Start-Office again
        Get-ConntrackCapture | Export-Clixml TestDrive:/captures.clixml
        $there = Import-Clixml TestDrive:/captures.clixml
        ($there | Out-String -Width 120) | Should -Be (Get-ConntrackCapture | Out-String -Width 120)
        "$($there[0].Source)", $there[0].Packets, "$($there[0].Options)" | Should -Be Packet, 26, "capture file $(Get-Fixture office.pcap)"
    }

    It 'shows traces alike' -Tag Live -Skip:$noLive {
        $namespace = New-TestNamespace
        try {
            $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Trace Flows
            Enable-FlowTrace -Protocol Tcp -SrcAddress 2001:db8:1111:2222::/64 -DstPort 443, 8000-8999
            Get-FlowTrace | Export-Clixml TestDrive:/traces.clixml
            (Import-Clixml TestDrive:/traces.clixml | Out-String -Width 120) | Should -Be (Get-FlowTrace | Out-String -Width 120)
        }
        finally {
            Remove-ConntrackCapture *
            Remove-TestNamespace $namespace
        }
    }
}

Describe 'A policy in the hands of other commands' {
    BeforeAll {
        $null = Start-Office
        if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace }
        $policy = Get-ConntrackFlow office | New-FirewallPolicy -NoProof
        $lines = "$policy" -split "`n"
    }

    AfterAll {
        Remove-TestNamespace $namespace
        Remove-ConntrackCapture *
    }

    It 'is its ruleset and nothing else, whatever writes it' {
        $lines[0], $lines[-1] | Should -Be '#!/usr/sbin/nft -f', '}'
        $policy | Set-Content TestDrive:/set.nft
        $policy | Out-File TestDrive:/out.nft
        $policy > TestDrive:/redirected.nft
        $policy | Tee-Object -FilePath TestDrive:/tee.nft | Out-Null
        foreach ($name in 'set', 'out', 'redirected', 'tee') {
            Get-Content "TestDrive:/$name.nft" | Should -Be $lines -Because $name
        }

        (Get-Content TestDrive:/out.nft -Raw) | Should -Be (Get-Content TestDrive:/set.nft -Raw)
        ($policy | Out-String).TrimEnd() | Should -Be "$policy"
    }

    It 'is shown with lines longer than the screen' {
        $policy | Out-String -Width 80 | Should -Match 'nd-neighbor-advert'
    }

    It 'is accepted by nft, and by both programs of iptables' -Skip:$noLive {
        $policy | Set-Content TestDrive:/policy.nft
        ip netns exec $namespace nft -c -f (Join-Path $TestDrive policy.nft) 2>&1 | Should -BeNullOrEmpty
        Get-ConntrackFlow office | New-FirewallPolicy -As Iptables -DefaultVerdict Reject -NoProof | Out-File TestDrive:/policy.rules
        foreach ($program in 'iptables-legacy-restore', 'ip6tables-legacy-restore') {
            ip netns exec $namespace $program --test (Join-Path $TestDrive policy.rules) 2>&1 | Should -BeNullOrEmpty
        }
    }

    It 'is JSON for ConvertFrom-Json' {
        $there = Get-ConntrackFlow office | New-FirewallPolicy -As Json -NoProof | Out-String | ConvertFrom-Json
        $there.rules.Count | Should -Be $policy.Rules.Count
        $there.rules[0].widening | Should -Be $policy.Rules[0].Widening
    }
}
