BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Disable-FlowTrace' {
    AfterEach { Remove-ConntrackCapture * }

    It 'asks what it is to end: ConntrackArgumentInvalid' {
        Assert-Fault { Disable-FlowTrace } ConntrackArgumentInvalid InvalidArgument
        try { Disable-FlowTrace } catch { "$_" | Should -Match 'Get-FlowTrace' }
    }

    It 'says that there is no capture, or none that runs: CaptureNotFound, CaptureNotRunning' {
        Assert-Fault { Disable-FlowTrace 1 } CaptureNotFound ObjectNotFound
        $null = Start-Office
        Assert-Fault { Disable-FlowTrace 1 } CaptureNotRunning InvalidOperation
        Assert-Fault { Disable-FlowTrace 1 -Name nobody } CaptureNotFound ObjectNotFound
    }
}

Describe 'Disable-FlowTrace in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    BeforeEach { if ($namespace) { $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace } }
    AfterEach { Remove-ConntrackCapture * }
    AfterAll { Remove-TestNamespace $namespace }

    It 'ends the trace of a flow at once: no packet is traced any more' -Skip:$noLive {
        $sender = New-Sender $namespace 30101 40101
        try {
            Invoke-Sender $sender
            Wait-Until 'the flow' { Get-ConntrackFlow -SrcPort 30101 }
            $flow = Get-ConntrackFlow -SrcPort 30101
            $flow | Enable-FlowTrace
            Invoke-Sender $sender 2
            Wait-Until 'packets' { (Get-FlowTrace -Id 1).Packets -ge 2 }
            Start-Sleep -Milliseconds 200
            $ended = $flow | Disable-FlowTrace -PassThru
            $ended | Should -BeOfType Conntracker.FlowTrace
            $ended.Id, $ended.IsActive | Should -Be 1, $false
            $ended.Packets | Should -BeGreaterOrEqual 2
            $before = $capture.NftablesTraces
            Invoke-Sender $sender 3
            Start-Sleep -Milliseconds 300
            $capture.NftablesTraces | Should -Be $before
            Assert-Fault { $flow | Disable-FlowTrace -ErrorAction Stop } FlowTraceNotFound ObjectNotFound
        }
        finally { Remove-Sender $sender }
    }

    It 'ends the trace of selectors at once, by the same selectors' -Skip:$noLive {
        $sender = New-Sender $namespace 30102 40102
        try {
            Enable-FlowTrace -Protocol Udp -DstPort 40102
            Invoke-Sender $sender
            Wait-Until 'a packet' { (Get-FlowTrace -Id 1).Packets -gt 0 }
            Assert-Fault { Disable-FlowTrace -DstPort 40102 -ErrorAction Stop } FlowTraceNotFound ObjectNotFound
            Disable-FlowTrace -Protocol Udp -DstPort 40102
            Start-Sleep -Milliseconds 200
            $before = Get-FlowTrace
            Invoke-Sender $sender 3
            Start-Sleep -Milliseconds 300
            $after = Get-FlowTrace
            $after.IsActive, $after.Packets | Should -Be $false, $before.Packets
        }
        finally { Remove-Sender $sender }
    }

    It 'ends traces of the pipeline, each in its own capture' -Skip:$noLive {
        $other = Start-ConntrackCapture -Name other -NetworkNamespace $namespace
        $null = $capture, $other | Enable-FlowTrace -DstPort 443
        Get-FlowTrace | Disable-FlowTrace
        (Get-FlowTrace).IsActive | Should -Be $false, $false
        Get-FlowTrace | Disable-FlowTrace -PassThru | ForEach-Object Id | Should -Be 1, 1 -Because 'what is over is left as it is'
        $trace = Get-FlowTrace other
        Remove-ConntrackCapture other
        Assert-Fault { $trace | Disable-FlowTrace -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }

    It 'ends by number, goes on after a wrong one, and leaves number 0: FlowTraceNotFound' -Skip:$noLive {
        $traced = Start-ConntrackCapture -Name traced -NetworkNamespace $namespace -Trace Flows
        1, 2 | ForEach-Object { Enable-FlowTrace -Name traced -DstPort $_ }
        Disable-FlowTrace -Id 7, 0, 2 -Name traced -ErrorVariable faults -ErrorAction SilentlyContinue
        $faults.FullyQualifiedErrorId -replace ',.*' | Should -Be FlowTraceNotFound, FlowTraceNotFound
        $faults[0].TargetObject, "$($faults[1])" | Should -Be 7, 'Trace 0 is what traced was started with, and ends with it.'
        (Get-FlowTrace traced -Active).Id | Should -Be 0, 1
    }

    It '-WhatIf ends nothing' -Skip:$noLive {
        Enable-FlowTrace -DstPort 443
        Get-FlowTrace | Disable-FlowTrace -WhatIf -PassThru | Should -BeNullOrEmpty
        (Get-FlowTrace).IsActive | Should -BeTrue
    }

    It 'completes the numbers of traces that can be ended' -Skip:$noLive {
        1..3 | ForEach-Object { Enable-FlowTrace -DstPort $_ }
        Disable-FlowTrace 2
        Get-Completion 'Disable-FlowTrace -Id ' | Should -Be 1, 3
        Get-Completion 'Disable-FlowTrace -Name other -Id ' | Should -Not -Contain 1
    }
}
