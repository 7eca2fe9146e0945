BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Remove-ConntrackCapture' {
    BeforeEach { 'office', 'web' | ForEach-Object { $null = Start-Office $_ } }
    AfterEach { Remove-ConntrackCapture * }

    It 'removes by name and by wildcards, and emits nothing' {
        Remove-ConntrackCapture web | Should -BeNullOrEmpty
        (Get-ConntrackCapture).Name | Should -Be office
        Remove-ConntrackCapture of*
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'takes captures and names from the pipeline' {
        Get-ConntrackCapture web | Remove-ConntrackCapture
        (Get-ConntrackCapture).Name | Should -Be office
        'office' | Remove-ConntrackCapture
        Get-ConntrackCapture | Should -BeNullOrEmpty
        $null = Start-Office web
        [pscustomobject]@{ Name = 'web' } | Remove-ConntrackCapture
        Remove-ConntrackCapture -Capture (Start-Office)
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'never removes all by accident: without a name it is ConntrackArgumentInvalid' {
        Assert-Fault { Remove-ConntrackCapture } ConntrackArgumentInvalid InvalidArgument
        @(Get-ConntrackCapture).Count | Should -Be 2
    }

    It '-WhatIf removes nothing' {
        Remove-ConntrackCapture * -WhatIf
        @(Get-ConntrackCapture).Count | Should -Be 2
    }

    It 'says that a name stands for no capture: CaptureNotFound' {
        Assert-Fault { Remove-ConntrackCapture nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }

    It 'leaves flows that were emitted before as they were, and the name free' {
        $flows = Get-ConntrackFlow -Name office
        Remove-ConntrackCapture office
        $flows.Count, $flows[0].DstPort | Should -Be 15, 22
        (Start-Office).FlowCount | Should -Be 15
    }

    It 'leaves a capture object that says it is empty, not one that fails' {
        $capture = Get-ConntrackCapture office
        Remove-ConntrackCapture office
        $capture.FlowCount, $capture.Name | Should -Be 0, office
        $capture | Remove-ConntrackCapture
    }
}

Describe 'Remove-ConntrackCapture in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterAll { Remove-TestNamespace $namespace }

    It 'stops a capture that runs: its table is gone' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Accounting
        Get-NftTables $namespace | Should -Not -BeNullOrEmpty
        $capture | Remove-ConntrackCapture
        "$($capture.State)" | Should -Be Stopped
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Get-Accounting $namespace | Should -Be 0
    }
}
