BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Watch-ConntrackFlow' {
    AfterEach { Remove-ConntrackCapture * }

    # Where the command should end by itself, -Duration bounds the wait of a test that fails.
    It 'ends at once on a capture that has ended: by name, by object, from the pipeline' {
        $capture = Start-Office
        $time = [System.Diagnostics.Stopwatch]::StartNew()
        Watch-ConntrackFlow office -Duration 10s | Should -BeNullOrEmpty
        Watch-ConntrackFlow -Capture $capture -Duration 10s | Should -BeNullOrEmpty
        $capture | Watch-ConntrackFlow -Duration 10s | Should -BeNullOrEmpty
        'o*' | Watch-ConntrackFlow -Duration 10s | Should -BeNullOrEmpty
        [pscustomobject]@{ Name = 'office' } | Watch-ConntrackFlow -Duration 10s | Should -BeNullOrEmpty
        $time.Elapsed.TotalSeconds | Should -BeLessThan 8
    }

    It 'says that one capture is wanted when there are several: CaptureAmbiguous' {
        'office', 'web' | ForEach-Object { $null = Start-Office $_ }
        Assert-Fault { Watch-ConntrackFlow *e* -Duration 10s } CaptureAmbiguous InvalidArgument
    }

    It 'says that a capture is not there: CaptureNotFound' {
        Assert-Fault { Watch-ConntrackFlow nobody -Duration 10s -ErrorAction Stop } CaptureNotFound ObjectNotFound
    }

    It 'refuses a count below one and a duration that is none' {
        { Watch-ConntrackFlow -Count 0 -Duration 10s } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        { Watch-ConntrackFlow -Duration later } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,*'
    }

    It 'refuses a duration below zero: ConntrackArgumentInvalid' {
        $other = Invoke-OtherPowerShell -TimeoutSeconds 20 "try { Watch-ConntrackFlow -Duration '-1s' } catch { `$_.FullyQualifiedErrorId; `"`$(`$_.CategoryInfo.Category)`" }"
        $other.Output | Should -Match '^ConntrackArgumentInvalid,\S+\s+InvalidArgument$'
    }

    It 'tells a user without privileges what it needs: ConntrackPermissionDenied' {
        $other = Invoke-OtherPowerShell -Unprivileged 'try { Watch-ConntrackFlow -Count 1 -Duration 5s } catch { $_.FullyQualifiedErrorId }'
        $other.Output | Should -Match '^ConntrackPermissionDenied,'
    }
}

Describe 'Watch-ConntrackFlow in the kernel' -Tag Live {
    BeforeAll {
        if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace }

        # Watches in another runspace, so that traffic can be made meanwhile.
        function Start-Watch([string] $Code) {
            $shell = [powershell]::Create().AddScript("Import-Module '$(Get-ModulePath)'; $Code")
            $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
            $running = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
            @{ Shell = $shell; Output = $output; Running = $running }
        }

        function Wait-Until([scriptblock] $Condition) {
            for ($i = 0; $i -lt 100 -and -not (& $Condition); $i++) { Start-Sleep -Milliseconds 100 }
        }
    }

    AfterAll { Remove-TestNamespace $namespace }
    AfterEach {
        if ($watch) { $watch.Shell.Stop(); $watch.Shell.Dispose(); $watch = $null }
        Remove-ConntrackCapture *
    }

    It 'streams flows as they appear and ends after -Count; the capture runs on' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace
        $watch = Start-Watch 'Watch-ConntrackFlow -Name live -Count 2 -Protocol Udp -SrcPort 25000-25009'
        for ($i = 0; $i -lt 100 -and -not $watch.Running.IsCompleted; $i++) { Send-Udp $namespace (25000 + $i % 10) 1; Start-Sleep -Milliseconds 50 }
        $watch.Running.IsCompleted | Should -BeTrue
        $watch.Output.Count | Should -Be 2
        $watch.Output[0] | Should -BeOfType Conntracker.Flow
        "$($watch.Output[0].State)", "$($capture.State)" | Should -Be New, Running
    }

    It 'watches a namespace with a capture of its own that ends with it, after -Duration' -Skip:$noLive {
        $time = [System.Diagnostics.Stopwatch]::StartNew()
        Watch-ConntrackFlow -NetworkNamespace $namespace -Duration 1s | Should -BeNullOrEmpty
        $time.Elapsed.TotalSeconds | Should -BeGreaterThan 0.9
        $time.Elapsed.TotalSeconds | Should -BeLessThan 6
        Get-ConntrackCapture | Should -BeNullOrEmpty
        Get-NftTables $namespace | Should -BeNullOrEmpty
    }

    It 'ends at once when the user presses Ctrl+C, and leaves no table' -Skip:$noLive {
        $watch = Start-Watch "Watch-ConntrackFlow -NetworkNamespace $namespace"
        Wait-Until { Get-NftTables $namespace }
        Get-NftTables $namespace | Should -Not -BeNullOrEmpty
        $time = [System.Diagnostics.Stopwatch]::StartNew()
        $watch.Shell.Stop()
        $time.Elapsed.TotalSeconds | Should -BeLessThan 3
        "$($watch.Shell.InvocationStateInfo.State)" | Should -Be Stopped
        Get-NftTables $namespace | Should -BeNullOrEmpty
    }

    It 'wants a name when several captures run: CaptureAmbiguous' -Skip:$noLive {
        'a', 'b' | ForEach-Object { $null = Start-ConntrackCapture -Name $_ -NetworkNamespace $namespace }
        Assert-Fault { Watch-ConntrackFlow -Duration 10s } CaptureAmbiguous InvalidArgument
    }

    It 'watches the only capture that runs when none is named' -Skip:$noLive {
        $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Duration 1s
        $time = [System.Diagnostics.Stopwatch]::StartNew()
        $null = Watch-ConntrackFlow -Duration 20s
        $time.Elapsed.TotalSeconds | Should -BeLessThan 10 -Because 'the capture ends, and the watching with it'
    }

    It 'ends when Select-Object has what it wants' -Skip:$noLive {
        $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace
        $watch = Start-Watch 'Watch-ConntrackFlow -Name live -Protocol Udp | Select-Object -First 1'
        for ($i = 0; $i -lt 100 -and -not $watch.Running.IsCompleted; $i++) { Send-Udp $namespace (26000 + $i) 1; Start-Sleep -Milliseconds 50 }
        $watch.Output.Count | Should -Be 1
    }

    It 'ends when its capture is removed' -Skip:$noLive {
        $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace
        $watch = Start-Watch 'Watch-ConntrackFlow -Name live'
        Start-Sleep -Milliseconds 500
        Remove-ConntrackCapture live
        Wait-Until { $watch.Running.IsCompleted }
        $watch.Running.IsCompleted | Should -BeTrue
    }

    It 'bears a duration longer than a timer can count' -Skip:$noLive {
        $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Duration 1s
        Watch-ConntrackFlow -Name live -Duration 100d -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'says that a network namespace is not there: NetworkNamespaceNotFound' -Skip:$noLive {
        Assert-Fault { Watch-ConntrackFlow -NetworkNamespace ctpr-nowhere } NetworkNamespaceNotFound ObjectNotFound
    }
}

Describe 'Watch-ConntrackFlow of what rules refuse' -Tag Live {
    BeforeAll {
        if (-not (Get-LiveObstacle)) {
            $namespace = New-TestNamespace
            Set-TestRules $namespace
        }
    }

    AfterAll { Remove-TestNamespace $namespace }

    It 'emits flows that are dropped, with the rule: its own capture traces for -Verdict' -Skip:$noLive {
        $sending = Start-ThreadJob -ArgumentList $namespace, (Join-Path $PSScriptRoot Support.psm1) {
            param($namespace, $support)
            Import-Module $support
            1..40 | ForEach-Object { Send-Syn $namespace 8081; Send-Syn $namespace 22; Start-Sleep -Milliseconds 100 }
        }
        try {
            $flow = Watch-ConntrackFlow -NetworkNamespace $namespace -Verdict Dropped, Rejected -Count 1 -Duration 10s
            $flow.DstPort, "$($flow.Verdict)", $flow.VerdictRule | Should -Be 22, Dropped, 'inet guard services #1: tcp dport 22 drop comment "no ssh"'
        }
        finally {
            $sending | Stop-Job -PassThru | Remove-Job -Force
        }
    }
}
