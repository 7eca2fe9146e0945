BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Enable-FlowTrace' {
    AfterEach { Remove-ConntrackCapture * }

    It 'says that there is no capture: CaptureNotFound' {
        Assert-Fault { Enable-FlowTrace -DstPort 443 } CaptureNotFound ObjectNotFound
        Assert-Fault { Enable-FlowTrace -DstPort 443 -Name nobody } CaptureNotFound ObjectNotFound
    }

    It 'says that no capture runs: CaptureNotRunning' {
        $capture = Start-Office
        Assert-Fault { Enable-FlowTrace -DstPort 443 } CaptureNotRunning InvalidOperation
        Assert-Fault { Enable-FlowTrace -DstPort 443 -Name office -ErrorAction Stop } CaptureNotRunning InvalidOperation
        Assert-Fault { $capture | Enable-FlowTrace -DstPort 443 -ErrorAction Stop } CaptureNotRunning InvalidOperation
        Assert-Fault { Get-ConntrackFlow | Enable-FlowTrace } CaptureNotRunning InvalidOperation
    }

    It 'traces nothing when nothing was chosen, instead of everything: ConntrackArgumentInvalid' {
        $null = Start-Office
        Assert-Fault { Enable-FlowTrace } ConntrackArgumentInvalid InvalidArgument
        Assert-Fault { Enable-FlowTrace -Name office -Duration 10s } ConntrackArgumentInvalid InvalidArgument
        try { Enable-FlowTrace } catch { "$_" | Should -Match '-DstPort' }
    }

    It 'does nothing with no flows' {
        @() | Enable-FlowTrace -PassThru | Should -BeNullOrEmpty
        $null = Start-Office
        Get-ConntrackFlow -DstPort 1 | Enable-FlowTrace -PassThru | Should -BeNullOrEmpty
    }

    It 'refuses a duration of <Duration>: ConntrackArgumentInvalid' -ForEach @(@{ Duration = '0s' }, @{ Duration = '500ms' }, @{ Duration = '-5s' }, @{ Duration = '2d' }, @{ Duration = [timespan]::MaxValue }) {
        Assert-Fault { Enable-FlowTrace -DstPort 443 -Duration $Duration } ConntrackArgumentInvalid InvalidArgument
    }

    It 'refuses flows and selectors together, and both ways to name a capture' {
        $office = Start-Office
        $fault = try { Enable-FlowTrace -InputObject (Get-ConntrackFlow -DstPort 53) -DstPort 53 } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^AmbiguousParameterSet'
        Assert-Fault { Enable-FlowTrace -DstPort 53 -Name office -Capture $office } ConntrackArgumentInvalid InvalidArgument
    }
}

Describe 'Enable-FlowTrace in the kernel' -Tag Live {
    BeforeAll {
        if (-not (Get-LiveObstacle)) {
            $namespace = New-TestNamespace
            Set-TestRules $namespace
            $rules = Get-UserRules $namespace
        }
    }

    BeforeEach { if ($namespace) { $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace } }
    AfterEach { Remove-ConntrackCapture * }
    AfterAll { Remove-TestNamespace $namespace }

    It 'traces flows of the pipeline from now on, and hands their traces on' -Skip:$noLive {
        $sender = New-Sender $namespace 30001 40001
        try {
            Invoke-Sender $sender 2
            Wait-Until 'the flow' { Get-ConntrackFlow -SrcPort 30001 }
            $trace = Get-ConntrackFlow -SrcPort 30001 | Enable-FlowTrace -Duration 10s -PassThru
            $trace | Should -BeOfType Conntracker.FlowTrace
            $trace.Id, $trace.Capture, $trace.Target, $trace.IsActive, $trace.Packets | Should -Be 1, live, 'Udp 127.0.0.1:30001 -> 127.0.0.1:40001', $true, 0
            $trace.Flow.SrcPort | Should -Be 30001
            ($trace.Until - $trace.StartTime).TotalSeconds | Should -BeGreaterThan 9.9
            Invoke-Sender $sender 3
            Wait-Until 'three packets' { (Get-ConntrackFlow -SrcPort 30001).Trace.Where({ $_.Chain -eq 'input' }).Packets -eq 3 }
            $flow = Get-ConntrackFlow -SrcPort 30001
            $flow.Trace | ForEach-Object { "$_ $($_.Packets)" } | Should -Be @(
                'table: inet guard, chain: output, type: rule, position: 2 3'
                'table: inet guard, chain: services, type: return, position: 3 3'
                'table: inet guard, chain: output, type: policy, position: 3 3'
                'table: inet guard, chain: input, type: policy, position: 2 3')
            "$($flow.Verdict)", $flow.VerdictRule | Should -Be Accepted, 'inet guard input policy accept'
            $now = Get-FlowTrace -Id 1
            $now.Steps | Should -Be 12
            $now.Packets | Should -BeGreaterOrEqual 3
            Get-UserRules $namespace | Should -Be $rules
        }
        finally { Remove-Sender $sender }
    }

    It 'traces what selectors match, flows that are dropped or rejected included' -Skip:$noLive {
        Send-Syn $namespace 22
        $trace = Enable-FlowTrace -Protocol Tcp -SrcAddress 127.0.0.0/8 -DstPort 22-23 -PassThru
        $trace.Target, $trace.Flow | Should -Be 'protocol Tcp, from 127.0.0.0/8, to port 22-23', $null
        Get-ConntrackFlow -DstPort 22 | Should -BeNullOrEmpty -Because 'nobody has seen the first one'
        Send-Syn $namespace 22
        Send-Syn $namespace 23
        Send-Syn $namespace 8081
        Wait-Until 'both flows' { @(Get-ConntrackFlow -Verdict Dropped, Rejected).Count -eq 2 }
        (Get-ConntrackFlow -DstPort 22).VerdictRule | Should -Be 'inet guard services #1: tcp dport 22 drop comment "no ssh"'
        (Get-ConntrackFlow -DstPort 23).VerdictRule | Should -Be 'inet guard input #1: tcp dport 23 reject with tcp reset'
        "$((Get-ConntrackFlow -DstPort 8081).Verdict)" | Should -Not -Be Accepted -Because 'it was not chosen'
        Get-UserRules $namespace | Should -Be $rules
    }

    It 'stops tracing when the time is over' -Skip:$noLive {
        $sender = New-Sender $namespace 30002 40002
        try {
            $trace = Enable-FlowTrace -SrcPort 30002 -Duration 1s -PassThru
            Invoke-Sender $sender
            Wait-Until 'a packet' { (Get-FlowTrace -Id $trace.Id).Packets -gt 0 }
            Wait-Until 'the end of the trace' { -not (Get-FlowTrace -Id $trace.Id).IsActive }
            $before = Get-FlowTrace -Id $trace.Id
            Start-Sleep -Milliseconds 200
            Invoke-Sender $sender 5
            Start-Sleep -Milliseconds 300
            (Get-FlowTrace -Id $trace.Id).Packets | Should -Be $before.Packets
            Get-FlowTrace -Active | Should -BeNullOrEmpty
        }
        finally { Remove-Sender $sender }
    }

    It 'gives what is traced already its time anew, and warns' -Skip:$noLive {
        $first = Enable-FlowTrace -DstPort 443 -Duration 10s -PassThru
        $again = Enable-FlowTrace -DstPort 443 -Duration 60s -PassThru -WarningVariable said -WarningAction SilentlyContinue
        $again.Id | Should -Be $first.Id
        $again.Until | Should -BeGreaterThan $first.Until.AddSeconds(40)
        "$said" | Should -Match 'to port 443 is traced already.*anew'
        @(Get-FlowTrace).Count | Should -Be 1
    }

    It 'tells pings apart that differ in their ids only' -Skip:$noLive {
        Send-Ping $namespace
        Send-Ping $namespace
        Wait-Until 'two pings' { @(Get-ConntrackFlow -Protocol Icmp).Count -eq 2 }
        $traces = Get-ConntrackFlow -Protocol Icmp | Enable-FlowTrace -PassThru -WarningVariable said
        ($traces.Id -join ','), @($said).Count | Should -Be '1,2', 0
    }

    It 'refuses selectors that nothing can match: TraceSelectorInvalid, <What>' -Skip:$noLive -ForEach @(
        @{ What = 'two families'; Code = { Enable-FlowTrace -SrcAddress 10.0.0.1 -DstAddress ::1 -ErrorAction Stop } }
        @{ What = 'ports of ICMP'; Code = { Enable-FlowTrace -Protocol Icmp -DstPort 80 -ErrorAction Stop } }
        @{ What = 'too many rules'; Code = { Enable-FlowTrace -SrcPort (1..20) -DstPort (1..20) -ErrorAction Stop } }
        @{ What = 'a protocol that the capture leaves out'; Code = { Start-ConntrackCapture tcp -NetworkNamespace $namespace -Protocol Tcp | Enable-FlowTrace -Protocol Udp -ErrorAction Stop } }) {
        Assert-Fault $Code TraceSelectorInvalid InvalidArgument
        Get-FlowTrace | Should -BeNullOrEmpty
    }

    It 'refuses such selectors also where every packet is traced: TraceSelectorInvalid' -Skip:$noLive {
        $all = Start-ConntrackCapture all -NetworkNamespace $namespace -Trace Everything
        Assert-Fault { $all | Enable-FlowTrace -Protocol Icmp -DstPort 80 -ErrorAction Stop } TraceSelectorInvalid InvalidArgument
    }

    It 'leaves out flows that are folded or of a text log, and traces the others: FlowNotTraceable' -Skip:$noLive {
        $log = Import-ConntrackLog (Get-Fixture v1-flows.log) | Select-Object -First 2
        Send-Udp $namespace 31000 1 -Port 9
        Wait-Until 'the flow' { Get-ConntrackFlow -SrcPort 31000 }
        $folded = '{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","DstPort":80,"ReplySrcAddress":"10.0.0.2","ReplyDstAddress":"10.0.0.1","Folding":"ClientPort"}'
        Set-Content "$TestDrive/folded.jsonl" $folded
        $traces = @($log) + @(Import-ConntrackLog "$TestDrive/folded.jsonl") + @(Get-ConntrackFlow -SrcPort 31000) |
            Enable-FlowTrace -PassThru -ErrorVariable faults -ErrorAction SilentlyContinue
        $traces.Flow.SrcPort | Should -Be 31000
        $faults.FullyQualifiedErrorId -replace ',.*' | Should -Be FlowNotTraceable, FlowNotTraceable, FlowNotTraceable
        "$($faults[2])" | Should -Match folded
    }

    It 'uses the only capture that runs; of several one must be named: CaptureAmbiguous' -Skip:$noLive {
        $null = Start-Office
        (Enable-FlowTrace -DstPort 1 -PassThru).Capture | Should -Be live
        $other = Start-ConntrackCapture -Name other -NetworkNamespace $namespace
        Assert-Fault { Enable-FlowTrace -DstPort 2 } CaptureAmbiguous InvalidArgument
        Assert-Fault { Enable-FlowTrace -DstPort 2 -Name * } CaptureAmbiguous InvalidArgument
        (Enable-FlowTrace -DstPort 2 -Name OTHER -PassThru).Capture | Should -Be other
        (Enable-FlowTrace -DstPort 3 -Name ot* -PassThru).Capture | Should -Be other
        (Enable-FlowTrace -DstPort 4 -Capture $other -PassThru).Capture | Should -Be other
        ($capture, $other | Enable-FlowTrace -DstPort 5 -PassThru).Capture | Should -Be live, other
    }

    It '-WhatIf traces nothing' -Skip:$noLive {
        Enable-FlowTrace -DstPort 443 -WhatIf -PassThru | Should -BeNullOrEmpty
        Get-FlowTrace | Should -BeNullOrEmpty
        $capture.NftablesTraces | Should -Be 0
    }

    It 'completes the names of captures' -Skip:$noLive {
        Get-Completion 'Enable-FlowTrace -Name l' | Should -Be live
    }
}
