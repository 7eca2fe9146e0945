BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Get-ConntrackCapture' {
    BeforeEach { 'office', 'official', 'web' | ForEach-Object { $null = Start-Office $_ } }
    AfterEach { Remove-ConntrackCapture * }

    It 'gets all captures, the oldest first' {
        $captures = Get-ConntrackCapture
        $captures | Should -BeOfType Conntracker.Capture
        $captures.Name | Should -Be 'office', 'official', 'web'
        $captures.Id | Should -Be ($captures.Id | Sort-Object)
    }

    It 'gets nothing when there is none, and that is no error' {
        Remove-ConntrackCapture *
        Get-ConntrackCapture -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'gets captures by name, by several names, by wildcards, whatever their case; none twice' {
        (Get-ConntrackCapture web).Name | Should -Be web
        (Get-ConntrackCapture -Name WEB, office).Name | Should -Be web, office
        (Get-ConntrackCapture off*).Name | Should -Be office, official
        (Get-ConntrackCapture off*, *i*, office).Name | Should -Be office, official
        (Get-ConntrackCapture '[w]e?').Name | Should -Be web
    }

    It 'takes names from the pipeline, by value and by property name' {
        ('web', 'off*' | Get-ConntrackCapture).Name | Should -Be web, office, official
        ([pscustomobject]@{ Name = 'web' } | Get-ConntrackCapture).Name | Should -Be web
        (Get-ConntrackCapture web | Get-ConntrackCapture).Name | Should -Be web
    }

    It 'says that a name stands for no capture, and goes on with the others: CaptureNotFound' {
        $found = Get-ConntrackCapture nobody, web -ErrorVariable faults -ErrorAction SilentlyContinue
        $found.Name | Should -Be web
        $faults.Count | Should -Be 1
        $faults[0].FullyQualifiedErrorId | Should -Be 'CaptureNotFound,Conntracker.PowerShell.Commands.GetConntrackCaptureCommand'
        $faults[0].TargetObject | Should -Be nobody
        Assert-Fault { Get-ConntrackCapture nobody -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }

    It 'takes it as no error that a wildcard stands for none' {
        Get-ConntrackCapture no* -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'completes the names of captures, and quotes those that need it' {
        Get-Completion 'Get-ConntrackCapture -Name off' | Should -Be office, official
        $null = Start-Office "bob's office"
        Get-Completion 'Get-ConntrackCapture bob' | Should -Be "'bob''s office'"
        foreach ($command in 'Get-ConntrackFlow', 'Stop-ConntrackCapture', 'Wait-ConntrackCapture', 'Remove-ConntrackCapture', 'Watch-ConntrackFlow') {
            Get-Completion "$command -Name we" | Should -Be web
        }
    }
}
