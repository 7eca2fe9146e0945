BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Stop-ConntrackCapture' {
    BeforeEach { 'office', 'web' | ForEach-Object { $null = Start-Office $_ } }
    AfterEach { Remove-ConntrackCapture * }

    It 'emits nothing, and with -PassThru the captures' {
        Stop-ConntrackCapture office | Should -BeNullOrEmpty
        $passed = Stop-ConntrackCapture office -PassThru
        $passed | Should -BeOfType Conntracker.Capture
        $passed.Name, "$($passed.State)" | Should -Be office, Stopped
    }

    It 'stops by name, by wildcards, by object, and all' {
        (Stop-ConntrackCapture o*, web -PassThru).Name | Should -Be office, web
        (Stop-ConntrackCapture -Capture (Get-ConntrackCapture) -PassThru).Name | Should -Be office, web
        (Stop-ConntrackCapture -PassThru).Name | Should -Be office, web
    }

    It 'takes captures and names from the pipeline' {
        (Get-ConntrackCapture | Stop-ConntrackCapture -PassThru).Name | Should -Be office, web
        ('web' | Stop-ConntrackCapture -PassThru).Name | Should -Be web
        ([pscustomobject]@{ Name = 'web' } | Stop-ConntrackCapture -PassThru).Name | Should -Be web
    }

    It 'keeps the flows' {
        Stop-ConntrackCapture
        @(Get-ConntrackFlow -Name office).Count | Should -Be 15
    }

    It 'says that a name stands for no capture: CaptureNotFound' {
        Assert-Fault { Stop-ConntrackCapture nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }
}

Describe 'Stop-ConntrackCapture in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterAll { Remove-TestNamespace $namespace }
    AfterEach { Remove-ConntrackCapture * }

    It 'stops a capture that runs, and takes in what the kernel had queued' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace
        Send-Udp $namespace 23000 200
        Stop-ConntrackCapture live
        "$($capture.State)" | Should -Be Stopped
        @($capture | Get-ConntrackFlow -SrcPort 23000-23199).Count + $capture.Lost | Should -Be 200
        $duration = $capture.Duration
        Start-Sleep -Milliseconds 100
        $capture.Duration | Should -Be $duration -Because 'a stopped capture does not grow older'
    }

    It '-WhatIf stops nothing' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace
        Stop-ConntrackCapture -WhatIf
        "$($capture.State)" | Should -Be Running
    }
}
