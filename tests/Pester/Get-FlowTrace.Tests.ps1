BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Get-FlowTrace' {
    AfterEach { Remove-ConntrackCapture * }

    It 'says that there is no capture: CaptureNotFound' {
        Assert-Fault { Get-FlowTrace -ErrorAction Stop } CaptureNotFound ObjectNotFound
        Assert-Fault { Get-FlowTrace nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
        Get-FlowTrace no* | Should -BeNullOrEmpty
    }

    It 'has nothing of a replay' {
        Start-Firewall | Get-FlowTrace | Should -BeNullOrEmpty
        Get-FlowTrace firewall -Active | Should -BeNullOrEmpty
        Assert-Fault { Get-FlowTrace -Id 1 -ErrorAction Stop } FlowTraceNotFound ObjectNotFound
    }
}

Describe 'Get-FlowTrace in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterEach { Remove-ConntrackCapture * }
    AfterAll { Remove-TestNamespace $namespace }

    It 'tells what a capture was started with, as number 0, and what came of it' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Trace Flows -TraceDuration 90s
        Send-Udp $namespace 32000 2
        Wait-Until 'two packets' { (Get-FlowTrace).Packets -ge 2 }
        $trace = Get-FlowTrace
        $trace | Should -BeOfType Conntracker.FlowTrace
        $trace.Id, $trace.Capture, $trace.Target, $trace.Until, $trace.IsActive, $trace.Flow | Should -Be 0, live, 'each flow, for 90 s', $null, $true, $null
        $capture | Stop-ConntrackCapture
        (Get-FlowTrace).IsActive | Should -BeFalse
        (Start-ConntrackCapture -Name all -NetworkNamespace $namespace -Trace Everything | Get-FlowTrace).Target | Should -Be 'every packet'
    }

    It 'chooses by capture, number and whether the time is over' -Skip:$noLive {
        $one = Start-ConntrackCapture -Name one -NetworkNamespace $namespace
        $two = Start-ConntrackCapture -Name two -NetworkNamespace $namespace -Trace Flows
        1..3 | ForEach-Object { $one | Enable-FlowTrace -DstPort $_ }
        $two | Enable-FlowTrace -Protocol Icmp
        Disable-FlowTrace -Name one -Id 2
        @(Get-FlowTrace).Count | Should -Be 5
        (Get-FlowTrace one).Id | Should -Be 1, 2, 3
        ('two' | Get-FlowTrace).Id | Should -Be 0, 1
        ($one, $two | Get-FlowTrace -Id 1).Target | Should -Be 'to port 1', 'protocol Icmp'
        (Get-FlowTrace -Capture $one -Active).Id | Should -Be 1, 3
        (Get-FlowTrace -Id 2, 9 -ErrorVariable faults -ErrorAction SilentlyContinue).Capture | Should -Be one
        $faults.FullyQualifiedErrorId -replace ',.*' | Should -Be FlowTraceNotFound
        Get-Completion 'Get-FlowTrace one -Id ' | Should -Be 1, 2, 3
        Get-Completion 'Get-FlowTrace -Id ' | Sort-Object | Should -Be 0, 1, 2, 3
    }

    It 'is shown as a table in 120 columns, here and in another session' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Trace Flows
        Enable-FlowTrace -Protocol Tcp -SrcAddress 2001:db8:1111:2222::/64 -DstPort 443, 8000-8999
        $lines = (Get-FlowTrace | Out-String -Width 120) -split "`n" | ForEach-Object TrimEnd | Where-Object { $_ }
        $lines[0] | Should -Match '^ *Id Capture +Active Until +Packets +Steps Target$'
        $lines[2] | Should -Match '^ +0 live +True +0 +0 each flow, for 30 s$'
        ($lines[3..9] -join '') | Should -Match '^ +1 live +True +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +0 +0 protocol Tcp, from 2001:db8:1111:2222::/64'
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
        Get-FlowTrace | Export-Clixml "$TestDrive/traces.clixml"
        (Import-Clixml "$TestDrive/traces.clixml" | Out-String -Width 120) | Should -Be (Get-FlowTrace | Out-String -Width 120)
    }
}
