BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Start-ConntrackCapture' {
    AfterEach { Remove-ConntrackCapture * }

    It 'replays a recording to its end and emits the capture' {
        $capture = Start-ConntrackCapture -Name office -ReplayPath (Get-Fixture office.ctrec)
        $capture | Should -BeOfType Conntracker.Capture
        $capture.Name, "$($capture.State)", $capture.FlowCount, $capture.Malformed | Should -Be 'office', 'Stopped', 15, 0
        $capture.Options.ReplayPath | Should -Be (Get-Fixture office.ctrec)
        $capture.Error | Should -BeNullOrEmpty
    }

    It 'makes a name when none is given, another each time' {
        $first = Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec)
        $second = Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec)
        $first.Name | Should -Match '^Capture\d+$'
        $second.Name | Should -Not -Be $first.Name
        $second.Id | Should -BeGreaterThan $first.Id
    }

    It 'takes files from the pipeline' {
        $captures = Get-Item (Get-Fixture office.ctrec) | Start-ConntrackCapture
        $captures.FlowCount | Should -Be 15
        [pscustomobject]@{ ReplayPath = Get-Fixture office.ctrec } | Start-ConntrackCapture | ForEach-Object FlowCount | Should -Be 15
        [pscustomobject]@{ FullName = Get-Fixture office.ctrec } | Start-ConntrackCapture | ForEach-Object FlowCount | Should -Be 15
    }

    It 'takes a path relative to where the user is, and of a drive of PowerShell' {
        Push-Location (Split-Path (Get-Fixture office.ctrec))
        try { (Start-ConntrackCapture -ReplayPath ./office.ctrec).FlowCount | Should -Be 15 } finally { Pop-Location }
        Copy-Item (Get-Fixture office.ctrec) TestDrive:/
        (Start-ConntrackCapture -ReplayPath TestDrive:/office.ctrec).FlowCount | Should -Be 15
    }

    It 'keeps only the protocols that are wanted, by name and number' {
        Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec) -Protocol Sctp, 89 | Get-ConntrackFlow | ForEach-Object { [int] $_.Protocol } | Sort-Object | Should -Be 89, 132
    }

    It 'keeps MaximumFlows and the defaults in Options' {
        (Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec) -MaximumFlows 2048).Options.MaximumFlows | Should -Be 2048
        $options = (Start-ConntrackCapture -ReplayPath (Get-Fixture office.ctrec)).Options
        $options.MaximumFlows, $options.BufferSize, $options.Accounting | Should -Be 1000000, 64MB, $false
    }

    It '-WhatIf starts nothing' {
        Start-ConntrackCapture -Name no -ReplayPath (Get-Fixture office.ctrec) -WhatIf | Should -BeNullOrEmpty
        Start-ConntrackCapture -Name no -RecordPath "$TestDrive/no.ctrec" -WhatIf | Should -BeNullOrEmpty
        Get-ConntrackCapture | Should -BeNullOrEmpty
        "$TestDrive/no.ctrec" | Should -Not -Exist
    }

    It 'refuses a name that is in use, whatever its case: CaptureExists' {
        $null = Start-Office
        Assert-Fault { Start-ConntrackCapture -Name OFFICE -ReplayPath (Get-Fixture office.ctrec) } CaptureExists ResourceExists
        @(Get-ConntrackCapture).Count | Should -Be 1
    }

    It 'says that <What>: <Id>' -ForEach @(
        @{ What = 'a file is no recording'; Bytes = { [byte[]][char[]] 'this is not a recording at all' }; Id = 'RecordingInvalid' }
        @{ What = 'a recording is of another version'; Bytes = { $b = [IO.File]::ReadAllBytes((Get-Fixture office.ctrec)); $b[8] = 9; $b }; Id = 'RecordingInvalid' }
        @{ What = 'a recording is damaged'; Bytes = { $b = [IO.File]::ReadAllBytes((Get-Fixture office.ctrec)); $b[$b.Length / 2] = $b[$b.Length / 2] -bxor 255; $b }; Id = 'RecordingInvalid' }
        @{ What = 'a file is empty'; Bytes = { , [byte[]]::new(0) }; Id = 'RecordingInvalid' }) {
        [IO.File]::WriteAllBytes("$TestDrive/bad.ctrec", [byte[]] (& $Bytes))
        Assert-Fault { Start-ConntrackCapture -Name bad -ReplayPath "$TestDrive/bad.ctrec" } $Id InvalidData
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'says that a recording is not there: RecordingFailed' {
        Assert-Fault { Start-ConntrackCapture -ReplayPath "$TestDrive/none.ctrec" } RecordingFailed OpenError
    }

    It 'replays a recording that was cut off up to there, and warns' {
        $bytes = [IO.File]::ReadAllBytes((Get-Fixture office.ctrec))
        [IO.File]::WriteAllBytes("$TestDrive/cut.ctrec", $bytes[0..($bytes.Length - 30)])
        $capture = Start-ConntrackCapture -ReplayPath "$TestDrive/cut.ctrec" -WarningVariable said -WarningAction SilentlyContinue
        "$said" | Should -Match 'has no end'
        $capture.FlowCount | Should -Be 15
        $capture.Notices | Should -Be $said.Message
    }

    It 'refuses <What> before it starts anything' -ForEach @(
        @{ What = 'too few flows'; Code = { Start-ConntrackCapture -MaximumFlows 1023 }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'too many flows'; Code = { Start-ConntrackCapture -MaximumFlows 100000001 }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'too small a buffer'; Code = { Start-ConntrackCapture -BufferSize 4095 }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'an empty name'; Code = { Start-ConntrackCapture -Name '' }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'a duration that is none'; Code = { Start-ConntrackCapture -Duration soon }; Id = 'ParameterArgumentTransformationError' }
        @{ What = 'an unknown protocol'; Code = { Start-ConntrackCapture -Protocol carrier-pigeon }; Id = 'CannotConvertArgument|ParameterArgumentTransformationError' }
        @{ What = 'a protocol number above 255'; Code = { Start-ConntrackCapture -Protocol 256 }; Id = 'CannotConvertArgument|ParameterArgumentTransformationError' }
        @{ What = 'a replay in a network namespace'; Code = { Start-ConntrackCapture -ReplayPath x -NetworkNamespace y }; Id = 'AmbiguousParameterSet' }) {
        $fault = try { & $Code } catch { $_ }
        ($fault.FullyQualifiedErrorId -split ',')[0] | Should -Match $Id
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'refuses -TraceDuration <What>: ConntrackArgumentInvalid' -ForEach @(
        @{ What = 'without -Trace'; Code = { Start-ConntrackCapture -TraceDuration 30s }; Says = '-Trace Flows' }
        @{ What = 'with -Trace None'; Code = { Start-ConntrackCapture -Trace None -TraceDuration 30s }; Says = '-Trace Flows' }
        @{ What = 'with -Trace Everything'; Code = { Start-ConntrackCapture -Trace Everything -TraceDuration 30s }; Says = '-Trace Flows' }
        @{ What = 'below a second'; Code = { Start-ConntrackCapture -Trace Flows -TraceDuration 999ms }; Says = 'a second to a day' }
        @{ What = 'above a day'; Code = { Start-ConntrackCapture -Trace Flows -TraceDuration 25h }; Says = 'a second to a day' }) {
        Assert-Fault $Code ConntrackArgumentInvalid InvalidArgument
        try { & $Code } catch { "$_" | Should -Match $Says }
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'traces nothing of a replay: it has no -Trace' {
        $fault = try { Start-ConntrackCapture -ReplayPath (Get-Fixture firewall.ctrec) -Trace Flows } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^AmbiguousParameterSet'
        Get-Completion 'Start-ConntrackCapture -Trace ' | Sort-Object | Should -Be Everything, Flows, None
    }

    It 'refuses a duration of <Duration>: ConntrackArgumentInvalid' -ForEach @(@{ Duration = 0 }, @{ Duration = '-5s' }) {
        Assert-Fault { Start-ConntrackCapture -Duration $Duration } ConntrackArgumentInvalid InvalidArgument
    }

    It 'reads the duration <Text> as <Seconds> s, not as ticks' -ForEach @(
        @{ Text = 30; Seconds = 30 }, @{ Text = '30'; Seconds = 30 }, @{ Text = '500ms'; Seconds = 0.5 }, @{ Text = '30s'; Seconds = 30 }, @{ Text = '1.5m'; Seconds = 90 },
        @{ Text = '2h'; Seconds = 7200 }, @{ Text = '1d'; Seconds = 86400 }, @{ Text = '00:05:00'; Seconds = 300 }, @{ Text = [timespan]::FromSeconds(7); Seconds = 7 }) {
        $type = (Get-Command Start-ConntrackCapture).Parameters['Duration'].Attributes.Where({ $_.GetType().Name -eq 'DurationAttribute' })[0]
        $type.Transform($ExecutionContext, $Text).TotalSeconds | Should -Be $Seconds
    }

    It 'tells a user without privileges which capability is missing: ConntrackPermissionDenied' {
        $other = Invoke-OtherPowerShell -Unprivileged 'try { Start-ConntrackCapture } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.Exception.Message; $_.ErrorDetails.RecommendedAction }; @(Get-ConntrackCapture).Count'
        $other.Output | Should -Match '^ConntrackPermissionDenied,'
        $other.Output | Should -Match 'PermissionDenied\s'
        $other.Output | Should -Match 'CAP_NET_ADMIN'
        $other.Output | Should -Match 'sudo pwsh'
        $other.Output | Should -Match '0$'
    }

    It 'replays for a user without privileges' {
        Copy-Item (Get-Fixture office.ctrec) "$TestDrive/open.ctrec"
        $null = chmod -R a+rX $TestDrive
        $other = Invoke-OtherPowerShell -Unprivileged "Start-ConntrackCapture -ReplayPath '$TestDrive/open.ctrec' | Get-ConntrackFlow | Measure-Object | ForEach-Object Count"
        $other.Output | Should -Be 15 -Because $other.Errors
    }

    It 'completes the names of protocols' {
        Get-Completion 'Start-ConntrackCapture -Protocol ' | Should -Contain UdpLite
    }
}

Describe 'Start-ConntrackCapture in the kernel' -Tag Live {
    BeforeAll { if (-not (Get-LiveObstacle)) { $namespace = New-TestNamespace } }
    AfterAll { Remove-TestNamespace $namespace }
    AfterEach { Remove-ConntrackCapture * }

    It 'captures TCP, UDP and ICMP of a network namespace, with counters' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Accounting
        "$($capture.State)" | Should -Be Running
        Get-NftTables $namespace | Should -Not -BeNullOrEmpty
        Get-Accounting $namespace | Should -Be 1
        Send-Tcp $namespace 8081
        Send-Udp $namespace 20000 1
        Send-Ping $namespace
        $capture | Stop-ConntrackCapture
        $tcp = $capture | Get-ConntrackFlow -Protocol Tcp -DstPort 8081
        $tcp.Confirmed, "$($tcp.Direction)", "$($tcp.TcpState)" | Should -Be $true, 'Local', 'TimeWait'
        $tcp.Bytes | Should -BeGreaterThan 1000
        $tcp.ReplyBytes | Should -BeLessThan $tcp.Bytes
        $udp = $capture | Get-ConntrackFlow -Protocol Udp -SrcPort 20000
        "$($udp.State)", $udp.Packets, $udp.Bytes, $udp.ReplyPackets | Should -Be 'New', 1, 29, 0
        $ping = $capture | Get-ConntrackFlow -Protocol Icmp
        $ping.IcmpType, $ping.Confirmed | Should -Be 8, $true
        $capture.Lost, $capture.Malformed | Should -Be 0, 0
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Get-Accounting $namespace | Should -Be 0
    }

    It 'ends by itself after -Duration' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Duration 500ms
        "$($capture.State)" | Should -Be Running
        $ended = $capture | Wait-ConntrackCapture -Timeout 10s
        "$($ended.State)" | Should -Be Stopped
        $ended.Duration.TotalSeconds | Should -BeGreaterThan 0.4
        $ended.Duration.TotalSeconds | Should -BeLessThan 5
    }

    It 'reads a duration as it is typed: PowerShell takes 30s and 1d for numbers of its own' -Skip:$noLive {
        (Start-ConntrackCapture -NetworkNamespace $namespace -Duration 30s).Options.Duration.TotalSeconds | Should -Be 30
        (Start-ConntrackCapture -NetworkNamespace $namespace -Duration 1d).Options.Duration.TotalDays | Should -Be 1
        (Start-ConntrackCapture -NetworkNamespace $namespace -Duration 5).Options.Duration.TotalSeconds | Should -Be 5
        (Start-ConntrackCapture -NetworkNamespace $namespace -Duration 1.5).Options.Duration.TotalSeconds | Should -Be 1.5
    }

    It 'runs for a duration longer than the clock can count' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Duration ([timespan]::MaxValue)
        Start-Sleep -Milliseconds 200
        "$($capture.State)" | Should -Be Running
    }

    It 'runs several captures at once, each with the flows of its own namespace' -Skip:$noLive {
        $second = New-TestNamespace
        try {
            $null = Start-ConntrackCapture -Name a -NetworkNamespace $namespace
            $null = Start-ConntrackCapture -Name b -NetworkNamespace $second
            $null = Start-ConntrackCapture -Name c -NetworkNamespace $namespace -Protocol Tcp
            Send-Udp $namespace 21000 3
            Send-Udp $second 22000 2
            Stop-ConntrackCapture
            @(Get-ConntrackFlow -Name a -SrcPort 21000-22999).Count, @(Get-ConntrackFlow -Name b -SrcPort 21000-22999).Count, @(Get-ConntrackFlow -Name c -SrcPort 21000-22999).Count | Should -Be 3, 2, 0
        }
        finally {
            Remove-ConntrackCapture *
            Remove-TestNamespace $second
        }
    }

    It 'records what it captures, and the replay has the same flows' -Skip:$noLive {
        $live = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -RecordPath "$TestDrive/live.ctrec"
        Send-Tcp $namespace 8082
        Send-Ping $namespace
        $live | Stop-ConntrackCapture
        $again = Start-ConntrackCapture -Name again -ReplayPath "$TestDrive/live.ctrec"
        (ConvertTo-FlowText ($again | Get-ConntrackFlow)) | Sort-Object | Should -Be (ConvertTo-FlowText ($live | Get-ConntrackFlow) | Sort-Object)
        (Get-Item "$TestDrive/live.ctrec").UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite')
    }

    It 'never overwrites a file with a recording: RecordingFailed' -Skip:$noLive {
        Set-Content "$TestDrive/mine.txt" 'mine'
        Assert-Fault { Start-ConntrackCapture -NetworkNamespace $namespace -RecordPath "$TestDrive/mine.txt" } RecordingFailed OpenError
        Get-Content "$TestDrive/mine.txt" | Should -Be 'mine'
    }

    It 'says that a network namespace is not there, and leaves no empty recording: NetworkNamespaceNotFound' -Skip:$noLive {
        Assert-Fault { Start-ConntrackCapture -NetworkNamespace ctpr-nowhere -RecordPath "$TestDrive/left.ctrec" } NetworkNamespaceNotFound ObjectNotFound
        "$TestDrive/left.ctrec" | Should -Not -Exist
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'folds at MaximumFlows, and loses no connection in silence' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -MaximumFlows 1024 -Protocol Udp
        Send-Udp $namespace 30000 1500 -Port 7
        $capture | Stop-ConntrackCapture
        $capture.FlowCount | Should -BeLessOrEqual 1024
        $capture.Folded | Should -BeGreaterThan 0
        $flows = $capture | Get-ConntrackFlow -DstPort 7
        ($flows | Measure-Object Connections -Sum).Sum + $capture.Lost | Should -BeGreaterOrEqual 1500
        $flows | Where-Object Folding -eq ClientPort | ForEach-Object SrcPort | Should -BeNullOrEmpty
    }

    It 'traces each flow with -Trace Flows, dropped ones too, and changes no rule of the user' -Skip:$noLive {
        $guarded = New-TestNamespace
        try {
            Set-TestRules $guarded
            $before = Get-UserRules $guarded
            $capture = Start-ConntrackCapture -NetworkNamespace $guarded -Trace Flows -TraceDuration 5s
            $capture.Notices | Should -BeLike 'No connection was tracked here before*'
            "$($capture.Options.Trace)", $capture.Options.TraceDuration.TotalSeconds | Should -Be Flows, 5
            Send-Tcp $guarded 8080
            Send-Syn $guarded 22
            Send-Syn $guarded 23
            Send-Syn $guarded 24
            Get-UserRules $guarded | Should -Be $before
            $capture | Stop-ConntrackCapture
            $flows = $capture | Get-ConntrackFlow -Protocol Tcp | Sort-Object DstPort
            $flows | ForEach-Object { "$($_.DstPort) $($_.Verdict) $($_.VerdictRule)" } | Should -Be @(
                '22 Dropped inet guard services #1: tcp dport 22 drop comment "no ssh"'
                '23 Rejected inet guard input #1: tcp dport 23 reject with tcp reset'
                '24 Rejected inet guard services #2: tcp dport 24 reject with tcp reset'
                '8080 Accepted inet guard output #1: tcp dport 8080 accept')
            $flows[0].Trace | ForEach-Object { "$_ $($_.Verdict)" } | Should -Be @(
                'table: inet guard, chain: output, type: rule, position: 2 jump services'
                'table: inet guard, chain: services, type: rule, position: 1 drop')
            "$($flows[0].State)", "$($flows[0].Direction)", $flows[0].Confirmed | Should -Be New, Local, $false
            $capture.NftablesTraces | Should -BeGreaterThan 10
            $capture.NftablesTracesLost, $capture.Malformed | Should -Be 0, 0
            Get-NftTables $guarded | Should -BeNullOrEmpty
            Get-UserRules $guarded | Should -Be $before
        }
        finally {
            Remove-ConntrackCapture *
            Remove-TestNamespace $guarded
        }
    }

    It 'traces every packet with -Trace Everything, and none with None' -Skip:$noLive {
        foreach ($mode in 'Everything', 'None') {
            $capture = Start-ConntrackCapture -Name $mode -NetworkNamespace $namespace -Trace $mode
            Send-Tcp $namespace 8083
            $capture | Stop-ConntrackCapture
        }

        Get-ConntrackFlow Everything -DstPort 8083 | ForEach-Object { "$($_.Verdict)" } | Should -Be Accepted
        Get-ConntrackFlow None -DstPort 8083 | ForEach-Object { "$($_.Verdict)" } | Select-Object -Unique | Should -Be Unknown
        (Get-ConntrackCapture Everything).NftablesTraces | Should -BeGreaterThan 20
        (Get-ConntrackCapture None).NftablesTraces | Should -Be 0
    }

    It 'completes the namespace that it is to capture in' -Skip:$noLive {
        Get-Completion "Start-ConntrackCapture -NetworkNamespace $($namespace.Substring(0, 8))" | Should -Contain $namespace
        Get-Completion "Watch-ConntrackFlow -NetworkNamespace $($namespace.Substring(0, 8))" | Should -Contain $namespace
        Get-Completion "Get-ConntrackFlow -Live -NetworkNamespace $($namespace.Substring(0, 8))" | Should -Contain $namespace
    }
}
