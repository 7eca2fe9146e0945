BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Processes of flows, without a capture that resolves them' {
    AfterEach { Remove-ConntrackCapture * }

    It 'has no process, and no filter for one finds a flow' {
        $null = Start-Office
        Get-ConntrackFlow | Where-Object Process | Should -BeNullOrEmpty
        Get-ConntrackFlow -ProcessName * | Should -BeNullOrEmpty
        Get-ConntrackFlow -ProcessId 1 | Should -BeNullOrEmpty
        Get-ConntrackFlow -UserName root | Should -BeNullOrEmpty
    }

    It 'names the ends as Get-NetTCPConnection does' {
        $null = Start-Office
        $flow = Get-ConntrackFlow -Protocol tcp | Select-Object -First 1
        $flow.LocalAddress, $flow.RemoteAddress | ForEach-Object { $_ | Should -BeIn $flow.SrcAddress, $flow.DstAddress, $flow.ReplySrcAddress, $flow.ReplyDstAddress }
        $flow.LocalPort, $flow.RemotePort | ForEach-Object { $_ | Should -BeIn $flow.SrcPort, $flow.DstPort, $flow.ReplySrcPort, $flow.ReplyDstPort }
        $flow.OwningProcess | Should -BeNullOrEmpty
    }

    It 'resolves nothing in a replay' {
        $fault = try { Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec) -ResolveProcess } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^AmbiguousParameterSet'
    }
}

Describe 'Processes of flows in the kernel' -Tag Live {
    BeforeAll {
        if (-not (Get-LiveObstacle)) {
            $namespace = New-TestNamespace
            $capture = Start-ConntrackCapture -NetworkNamespace $namespace -ResolveProcess -Name resolve -WarningVariable warnings -WarningAction SilentlyContinue
            Send-Ping $namespace
            Send-Udp $namespace 41000 1 53
            Wait-Until 'the ping is named' { Get-ConntrackFlow -Protocol icmp | Where-Object Process }
        }
    }

    AfterAll {
        Remove-ConntrackCapture *
        if ($namespace) { Remove-TestNamespace $namespace }
    }

    It 'names the process of a ping, with user, path and command line' -Skip:$noLive {
        $flow = Get-ConntrackFlow -Protocol icmp
        $flow.Process | Should -BeOfType Conntracker.FlowProcess
        $flow.Process.Name | Should -Be ping
        $flow.Process.UserName | Should -Be root
        $flow.Process.CommandLine | Should -Match 'ping .*127\.0\.0\.1'
        $flow.Process.Id | Should -BeGreaterThan 1
        $flow.OwningProcess | Should -Be $flow.Process.Id
    }

    It 'finds flows by process name, id and user' -Skip:$noLive {
        $process = (Get-ConntrackFlow -Protocol icmp).Process
        @(Get-ConntrackFlow -ProcessName p?ng).Count | Should -Be 1
        @(Get-ConntrackFlow -ProcessId $process.Id).Count | Should -Be 1
        @(Get-ConntrackFlow -UserName root | Where-Object Protocol -EQ Icmp).Count | Should -Be 1
        Get-ConntrackFlow -ProcessName nobody-has-this-name | Should -BeNullOrEmpty
        Get-ConntrackFlow -ProcessId ([int]::MaxValue) | Should -BeNullOrEmpty
    }

    It 'keeps the process in JSON and CSV' -Skip:$noLive {
        $flow = Get-ConntrackFlow -Protocol icmp
        foreach ($format in 'Json', 'Csv') {
            $path = Join-Path $TestDrive "flows.$format"
            $flow | Export-ConntrackLog -Path $path -Format $format
            $read = Import-ConntrackLog -Path $path
            $read.Process.Name, $read.Process.Id, $read.Process.CommandLine | Should -Be @($flow.Process.Name, $flow.Process.Id, $flow.Process.CommandLine)
        }
    }

    It 'counts what it could not resolve in the receipt' -Skip:$noLive {
        (Get-ConntrackCapture resolve).GetReceipt().ProcessesLost | Should -Be 0
    }
}
