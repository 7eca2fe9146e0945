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
    It 'offers its ten cmdlets and nothing else' {
        $names = 'Export-ConntrackLog', 'Format-ConntrackLog', 'Get-ConntrackCapture', 'Get-ConntrackFlow', 'Import-ConntrackLog',
            'Remove-ConntrackCapture', 'Start-ConntrackCapture', 'Stop-ConntrackCapture', 'Wait-ConntrackCapture', 'Watch-ConntrackFlow'
        $module = Get-Module Conntracker
        $module.ExportedCommands.Keys | Sort-Object | Should -Be $names
        $module.ExportedCmdlets.Count | Should -Be 10
        $module.ExportedAliases.Count | Should -Be 0
        $module.ExportedVariables.Count | Should -Be 0
    }

    It 'has a manifest that PowerShell accepts, for PowerShell 7.6 and later' {
        $manifest = Test-ModuleManifest (Join-Path (Get-ModulePath) Conntracker.psd1)
        $manifest.PowerShellVersion | Should -Be ([version] '7.6')
        $manifest.CompatiblePSEditions | Should -Be 'Core'
        $manifest.Description | Should -Not -BeNullOrEmpty
    }

    It 'brings no assembly of others that could clash in the session' {
        (Get-ChildItem (Get-ModulePath) -Filter *.dll).Name | Sort-Object | Should -Be 'Conntracker.Core.dll', 'Conntracker.PowerShell.dll'
    }

    It '<Cmdlet> has an approved verb' -ForEach $cmdlets {
        ($Cmdlet -split '-')[0] | Should -BeIn (Get-Verb).Verb
    }

    It '<Cmdlet> declares what it emits' -ForEach $cmdlets {
        (Get-Command $Cmdlet).OutputType.Count | Should -BeGreaterThan 0
    }

    It '<Cmdlet> explains each parameter in the tooltip of its completion' -ForEach $cmdlets {
        $command = Get-Command $Cmdlet
        $own = $command.Parameters.Values | Where-Object { $_.Name -notin [System.Management.Automation.Cmdlet]::CommonParameters + 'WhatIf', 'Confirm' }
        foreach ($parameter in $own) {
            $text = $parameter.Attributes.Where({ $_ -is [Parameter] }).HelpMessage
            $text | Should -Not -BeNullOrEmpty -Because "-$($parameter.Name) of $Cmdlet needs a HelpMessage"
        }
    }

    It '<Cmdlet> asks before it changes something: -WhatIf and -Confirm' -ForEach @(
        @{ Cmdlet = 'Start-ConntrackCapture' }, @{ Cmdlet = 'Stop-ConntrackCapture' }, @{ Cmdlet = 'Remove-ConntrackCapture' }, @{ Cmdlet = 'Export-ConntrackLog' }) {
        (Get-Command $Cmdlet).Parameters.Keys | Should -Contain 'WhatIf'
        (Get-Command $Cmdlet).Parameters.Keys | Should -Contain 'Confirm'
    }

    It 'is imported without privileges' {
        $other = Invoke-OtherPowerShell -Unprivileged '(Get-Command -Module Conntracker).Count; @(Get-ConntrackCapture).Count'
        $other.ExitCode | Should -Be 0 -Because $other.Errors
        $other.Output | Should -Match '^10\s+0$'
    }

    It 'takes less than two seconds to import into a new PowerShell on a busy machine' {
        $other = Invoke-OtherPowerShell ('$watch = [System.Diagnostics.Stopwatch]::StartNew(); Remove-Module Conntracker; ' + "Import-Module '$(Get-ModulePath)'; " + '$watch.ElapsedMilliseconds')
        [int] $other.Output | Should -BeLessThan 2000
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

    It 'shows a capture in one row of 120 columns, with its loss receipt' {
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
