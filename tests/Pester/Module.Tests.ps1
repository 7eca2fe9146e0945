BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
    $noLive = [bool](Get-LiveObstacle)
    $cmdlets = (Get-Command -Module Conntracker).Name | ForEach-Object { @{ Cmdlet = $_ } }
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'The module' {
    It 'has a manifest that PowerShell accepts, for PowerShell 7.6 and later' {
        $manifest = Test-ModuleManifest (Join-Path (Get-ModulePath) Conntracker.psd1)
        $manifest.PowerShellVersion | Should -Be ([version] '7.6')
        $manifest.CompatiblePSEditions | Should -Be 'Core'
        $manifest.Description | Should -Not -BeNullOrEmpty
    }

    It '<Cmdlet> has an approved verb' -ForEach $cmdlets {
        ($Cmdlet -split '-')[0] | Should -BeIn (Get-Verb).Verb
    }
}

Describe 'What PowerShell shows of it' {
    BeforeAll {
        $null = Start-Office
        $flows = Get-ConntrackFlow
        $long = '{"Protocol":"Tcp","Family":"IPv6","SrcAddress":"2001:db8:1111:2222:3333:4444:5555:6666","SrcPort":65535,"DstAddress":"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff","DstPort":65535,"State":"Assured","Direction":"Forward"}'
        $icmp = '{"Protocol":"IcmpV6","Family":"IPv6","SrcAddress":"fe80:1111:1111:2222:3333:4444:5555:6666","DstAddress":"ff02:1111:aaaa:bbbb:cccc:dddd:eeee:ffff","IcmpType":135,"IcmpCode":255}'
        $path = Join-Path $TestDrive long.jsonl
        Set-Content $path $long, $icmp
    }

    AfterAll { Remove-ConntrackCapture * }

    It 'shows a flow in one row of 120 columns, the longest addresses included' {
        $lines = ($flows + (Import-ConntrackLog $path) | Out-String -Width 120) -split "`n" | ForEach-Object TrimEnd | Where-Object { $_ }
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
        $lines.Count | Should -Be ($flows.Count + 2 + 2) -Because 'there is a header, a line below it, and a row for each flow'
        $lines -match '\[2001:db8:1111:2222:3333:4444:5555:6666\]:65535' | Should -Not -BeNullOrEmpty
        $lines -match '\.\.\.|…' | Should -BeNullOrEmpty -Because 'nothing may be cut off'
    }

    It 'shows what matters of a flow: protocol, ends, state, direction' {
        $text = $flows | Out-String -Width 120
        $text | Should -Match 'Tcp +10\.1\.0\.2:40003 +203\.0\.113\.80:8080 +Assured +Forward'
        $text | Should -Match 'Icmp +10\.1\.0\.1 +10\.1\.0\.2 8/0 +Replied +Out'
        $text | Should -Match 'Udp +\[2001:db8:1::2\]:42000 +\[2001:db8:1::1\]:514 +New +In'
    }

    It 'shows a capture in one row of 120 columns, with its counters' {
        $lines = (Get-ConntrackCapture | Out-String -Width 120) -split "`n" | ForEach-Object TrimEnd | Where-Object { $_ }
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
        $lines[0] | Should -Match 'Name +State +Duration +Flows +Events +Lost +Overruns +Repaired +Malformed'
        $lines[2] | Should -Match "office +Stopped .* $($flows.Count) "
    }

    It 'shows flows of another session alike, with the same columns' {
        $file = Join-Path $TestDrive flows.clixml
        $flows | Export-Clixml $file
        $there = Import-Clixml $file
        $there[0].PSObject.TypeNames[0] | Should -Be 'Deserialized.Conntracker.Flow'
        ($there | Out-String -Width 120) | Should -Be ($flows | Out-String -Width 120)
    }

    It 'keeps a flow''s values when it is sent to another session' {
        $file = Join-Path $TestDrive flows2.clixml
        $flows | Export-Clixml $file -Depth 4
        $there = Import-Clixml $file
        for ($i = 0; $i -lt $flows.Count; $i++) {
            foreach ($property in $flows[$i].PSObject.Properties | Where-Object Name -notin Trace, Process) {
                "$($there[$i].($property.Name))" | Should -Be "$($property.Value)" -Because "$($property.Name) of flow $i"
            }
        }
    }

    It 'keeps a capture''s values when it is sent to another session' {
        $file = Join-Path $TestDrive capture.clixml
        Get-ConntrackCapture office | Export-Clixml $file -Depth 4
        $there = Import-Clixml $file
        $there.Name, $there.FlowCount, $there.Lost, "$($there.State)" | Should -Be 'office', $flows.Count, 0, 'Stopped'
        $there.Options.MaximumFlows | Should -Be 1000000
    }
}

Describe 'What PowerShell shows of a trace' {
    BeforeAll {
        $capture = Start-Firewall
        $ssh = Get-ConntrackFlow -DstPort 22
        function Get-Shown($Objects, [string] $View = 'List') {
            $text = if ($View -eq 'List') { $Objects | Format-List | Out-String -Width 160 } else { $Objects | Format-Table -View $View | Out-String -Width 160 }
            $text -split "`n" | ForEach-Object TrimEnd | Where-Object { $_ }
        }
    }

    AfterAll { Remove-ConntrackCapture * }

    It 'lists the steps of a flow one a line, with text and count, and marks the rule that decided' {
        $lines = Get-Shown $ssh
        $at = [array]::FindIndex([string[]] $lines, [Predicate[string]] { $args[0] -match '^Trace ' })
        $column = $lines[$at].IndexOf(':') + 2
        $lines[$at].Substring($column) | Should -BeExactly '  inet firewall forward #2: iifname "f0" jump services  (jump services, 1 packet)'
        $lines[$at + 1].Substring($column) | Should -BeExactly '> inet firewall services #2: tcp dport 22 drop comment "no ssh"  (drop, 1 packet)'
        $lines.Count | Should -Be ($at + 2)
        $lines | Should -Contain 'VerdictRule     : inet firewall services #2: tcp dport 22 drop comment "no ssh"'
        $lines | Should -Contain 'Verdict         : Dropped'
    }

    It 'lists ends of chains, policies, and packets in the plural' {
        $lines = (Get-Shown (Get-ConntrackFlow -DstPort 443, 80)) | ForEach-Object { $_ -replace '^Trace +: |^ {18}' }
        $lines | Should -Contain '  inet firewall services end of chain  (return, 1 packet)'
        $lines | Should -Contain '> inet firewall forward policy drop  (drop, 1 packet)'
        $lines | Should -Contain '  inet firewall forward #1: ct state established,related accept  (accept, 9 packets)'
    }

    It 'marks exactly one step of each flow whose rule is known' {
        foreach ($flow in Get-ConntrackFlow) {
            @(Get-Shown $flow) -match ':? +> ' | Should -HaveCount 1 -Because "$flow has $($flow.VerdictRule)"
        }
    }

    It 'leaves what a flow does not have out of its list, and the trace of one that was not traced' {
        Get-Shown $ssh | ForEach-Object { ($_ -split ' *:')[0] } | Should -Not -Contain 'IcmpType'
        $null = Start-Office
        $text = Get-ConntrackFlow office -Protocol IcmpV6 | Format-List | Out-String
        $text | Should -Match '(?m)^IcmpType +: 128'
        $text | Should -Match '(?m)^Verdict +: Unknown'
        $text | Should -Not -Match '(?m)^(Trace|VerdictRule|SrcPort) '
    }

    It 'lists steps of iptables, of a log without texts, and of hostile names on one line each' {
        $json = '{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","Verdict":"Dropped","VerdictRule":"filter INPUT policy DROP","Trace":[' +
            '{"Table":"filter","Chain":"INPUT","Type":"Rule","Position":3,"Rule":"-p tcp -j LOG\u001b[31m\nforged","Verdict":"continue","Engine":"Iptables"},' +
            '{"Table":"raw","Chain":"PREROUTING","Type":"Rule","Position":1,"Engine":"Iptables"},' +
            '{"Table":"filter","Chain":"web","Type":"Return","Position":2,"Verdict":"return","Engine":"Iptables"},' +
            '{"Table":"filter","Chain":"INPUT","Type":"Policy","Position":4,"Verdict":"drop","Packets":2,"Engine":"Iptables"}]}'
        Set-Content "$TestDrive/trace.jsonl" $json
        $lines = (Get-Shown (Import-ConntrackLog "$TestDrive/trace.jsonl")) | Select-Object -Last 4 | ForEach-Object { $_ -replace '^Trace +: |^ {14}' }
        $lines | Should -Be '  filter INPUT #3: -p tcp -j LOG_[31m_forged  (continue)', '  raw PREROUTING #1', '  filter web end of chain  (return)', '> filter INPUT policy DROP  (drop, 2 packets)'
    }

    It 'has a table with verdict and rule: Format-Table -View Verdict' {
        $lines = Get-Shown (Get-ConntrackFlow) Verdict
        $lines[0] | Should -Match '^Proto +Source +Destination +Verdict +VerdictRule$'
        $lines -match '^Udp +10\.1\.0\.2:40053 +198\.51\.100\.2:53 +Rejected +inet firewall services #3: udp dport 53 reject$' | Should -HaveCount 1
    }

    It 'shows a capture''s counts of trace messages in its list' {
        $text = $capture | Format-List | Out-String
        $text | Should -Match '(?m)^NftablesTraces +: 104\s*$'
        $text | Should -Match '(?m)^IptablesTracesLost +: 0\s*$'
    }

    It 'answers what the firewall drops, and why' {
        $groups = Get-ConntrackFlow -Verdict Dropped, Rejected | Group-Object VerdictRule
        $groups | Sort-Object Name | ForEach-Object { "$($_.Count) $($_.Name)" } | Should -Be '1 inet firewall forward policy drop', '1 inet firewall input #1: tcp dport 23 reject with tcp reset',
            '1 inet firewall services #2: tcp dport 22 drop comment "no ssh"', '1 inet firewall services #3: udp dport 53 reject'
    }

    It 'keeps every step when flows are sent to another session, and shows them alike' {
        $file = Join-Path $TestDrive traced.clixml
        Get-ConntrackFlow | Export-Clixml $file
        $there = Import-Clixml $file
        $here = Get-ConntrackFlow
        ($there | Format-List | Out-String -Width 160) | Should -Be ($here | Format-List | Out-String -Width 160)
        $there[0].Trace[2].Packets, "$($there[0].Trace[0].Type)", "$($there[0].Verdict)", $there[0].Trace[0].Handle | Should -Be 9, Rule, Accepted, $here[0].Trace[0].Handle
    }

    It 'keeps every step in a file: <Format>' -ForEach @(@{ Format = 'Json' }, @{ Format = 'JsonLines' }, @{ Format = 'Csv' }) {
        $file = Join-Path $TestDrive "traced.$Format"
        Get-ConntrackFlow firewall | Export-ConntrackLog $file -Format $Format
        ConvertTo-FlowText (Import-ConntrackLog $file) | Should -Be (ConvertTo-FlowText (Get-ConntrackFlow firewall))
        (Import-ConntrackLog $file).Trace.Packets | Measure-Object -Maximum | ForEach-Object Maximum | Should -Be 9
    }
}

Describe 'Several runspaces' {
    BeforeEach { $capture = Start-Office }
    AfterEach { Remove-ConntrackCapture * }

    It 'a second runspace that imports the module with -Force and closes, or removes it, leaves the captures of the first alone: <Script>' -ForEach @(
        @{ Script = 'Import-Module $module -Force' }, @{ Script = 'Import-Module $module; Import-Module $module -Force' }, @{ Script = 'Import-Module $module; Remove-Module Conntracker' }) {
        $runspace = [runspacefactory]::CreateRunspace()
        $runspace.Open()
        $runspace.SessionStateProxy.SetVariable('module', (Get-ModulePath))
        $shell = [powershell]::Create($runspace).AddScript($Script)
        $null = $shell.Invoke()
        $shell.Streams.Error | Should -BeNullOrEmpty
        $runspace.Close()
        (Get-ConntrackCapture).Name | Should -Be office
        @(Get-ConntrackFlow office).Count | Should -Be 15
    }

    It 'ForEach-Object -Parallel { Import-Module -Force } leaves the captures of the script alone' {
        $module = Get-ModulePath
        1..4 | ForEach-Object -ThrottleLimit 2 -Parallel { Import-Module $using:module -Force; @(Get-ConntrackFlow office).Count } | Should -Be 15, 15, 15, 15
        $capture.FlowCount | Should -Be 15
    }

    It 'Remove-Module in the last runspace that has it ends them all' {
        $other = Invoke-OtherPowerShell "
            `$capture = Start-ConntrackCapture office -ReplayPath '$(Get-Fixture office.ctrec)'
            `$shell = [powershell]::Create().AddScript(`"Import-Module '$(Get-ModulePath)'; Start-ConntrackCapture more -ReplayPath '$(Get-Fixture office.ctrec)'`")
            `$null = `$shell.Invoke()
            `$shell.Dispose()
            `$more = Get-ConntrackCapture more
            `$before = `$capture.FlowCount, `$more.FlowCount
            Remove-Module Conntracker
            `"`$before `$(`$capture.FlowCount, `$more.FlowCount)`""
        $other.Output.Trim() | Should -Be '15 15 0 0' -Because $other.Errors
    }
}

Describe 'The end of captures' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }

    AfterAll { Remove-TestNamespace $namespace }

    It 'importing the module makes no table in the kernel' -Skip:$noLive {
        $null = Invoke-OtherPowerShell 'Get-ConntrackCapture; Get-Command -Module Conntracker | Out-Null'
        Get-NftTables $namespace | Should -BeNullOrEmpty
        $other = Invoke-OtherPowerShell "ip netns exec $namespace nft list tables"
        $other.Output | Should -Not -Match conntracker
    }

    It 'removing the module stops its captures: table gone, accounting put back' -Skip:$noLive {
        Get-Accounting $namespace | Should -Be 0
        $other = Invoke-OtherPowerShell "
            `$capture = Start-ConntrackCapture -NetworkNamespace $namespace -Accounting
            ip netns exec $namespace nft list tables
            Remove-Module Conntracker
            'after: ' + `$capture.State
            ip netns exec $namespace nft list tables
            'accounting: ' + (ip netns exec $namespace cat /proc/sys/net/netfilter/nf_conntrack_acct)"
        $other.ExitCode | Should -Be 0 -Because $other.Errors
        $before, $after = $other.Output -split 'after: '
        $before | Should -Match 'table inet conntracker'
        $after | Should -Match '^Stopped'
        $after | Should -Not -Match 'table inet conntracker'
        $after | Should -Match 'accounting: 0'
    }

    It 'a PowerShell that ends with a running capture ends at once, with exit code 0, and leaves nothing' -Skip:$noLive {
        $other = Invoke-OtherPowerShell "`$null = Start-ConntrackCapture -NetworkNamespace $namespace -Accounting; 'running'; ip netns exec $namespace cat /proc/sys/net/netfilter/nf_conntrack_acct"
        $other.ExitCode | Should -Be 0 -Because $other.Errors
        $other.Output | Should -Match 'running\s+1'
        $other.Seconds | Should -BeLessThan 5
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Get-Accounting $namespace | Should -Be 0
    }

    It 'a PowerShell that is killed leaves no table, and the next capture puts accounting back' -Skip:$noLive {
        $other = Invoke-OtherPowerShell "`$null = Start-ConntrackCapture -NetworkNamespace $namespace -Accounting; Stop-Process -Id `$PID -Force"
        $other.ExitCode | Should -Not -Be 0
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Start-ConntrackCapture -Name next -NetworkNamespace $namespace -WarningVariable said -WarningAction SilentlyContinue | Remove-ConntrackCapture
        "$said" | Should -Match 'accounting'
        Get-Accounting $namespace | Should -Be 0
    }
}
