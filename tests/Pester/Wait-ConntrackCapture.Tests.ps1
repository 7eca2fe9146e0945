BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Wait-ConntrackCapture' {
    BeforeEach { 'office', 'web' | ForEach-Object { $null = Start-Office $_ } }
    AfterEach { Remove-ConntrackCapture * }

    It 'emits captures that have ended: all, by name, by wildcards, by object' {
        Wait-ConntrackCapture | Should -BeOfType Conntracker.Capture
        (Wait-ConntrackCapture).Name | Should -Be office, web
        (Wait-ConntrackCapture w*).Name | Should -Be web
        (Wait-ConntrackCapture -Capture (Get-ConntrackCapture web)).Name | Should -Be web
    }

    It 'takes captures and names from the pipeline' {
        (Get-ConntrackCapture | Wait-ConntrackCapture -Timeout 1s).Name | Should -Be office, web
        ('web' | Wait-ConntrackCapture).Name | Should -Be web
        ([pscustomobject]@{ Name = 'web' } | Wait-ConntrackCapture).Name | Should -Be web
    }

    It 'says that a name stands for no capture: CaptureNotFound' {
        Assert-Fault { Wait-ConntrackCapture nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }

    It 'refuses a time that is none' {
        { Wait-ConntrackCapture -Timeout later } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,*'
    }
}

Describe 'Wait-ConntrackCapture in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterAll { Remove-TestNamespace $namespace }
    AfterEach { Remove-ConntrackCapture * }

    It 'waits until the capture ends' -Skip:$noLive {
        $ended = Start-ConntrackCapture -NetworkNamespace $namespace -Duration 1s | Wait-ConntrackCapture
        "$($ended.State)" | Should -Be Stopped
        $ended.Duration.TotalSeconds | Should -BeGreaterThan 0.9
    }

    It 'gives up after -Timeout, emits nothing, and the capture runs on' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        $capture | Wait-ConntrackCapture -Timeout 700ms | Should -BeNullOrEmpty
        $watch.Elapsed.TotalSeconds | Should -BeGreaterThan 0.6
        $watch.Elapsed.TotalSeconds | Should -BeLessThan 5
        "$($capture.State)" | Should -Be Running
        $capture | Wait-ConntrackCapture -Timeout 0 | Should -BeNullOrEmpty
    }
}
