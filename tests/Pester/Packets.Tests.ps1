BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
    $pcap = Get-Fixture office.pcap
    $here = '192.0.2.10'

    # What the tests compare of flows, in the order of the file.
    function Get-Facts($Flow) {
        $Flow | Sort-Object FirstSeen | ForEach-Object {
            '{0} {1}:{2} {3}:{4} {5} {6} {7}/{8} {9}/{10}' -f $_.Protocol, $_.SrcAddress, $_.SrcPort, $_.DstAddress, $_.DstPort, $_.Direction, $_.State, $_.Packets, $_.ReplyPackets, $_.Bytes, $_.ReplyBytes
        }
    }

    # A capture file with these packets, of this kind of heads.
    function New-Pcap([string] $Path, [int] $LinkType, [byte[][]] $Packets = @()) {
        $writer = [IO.BinaryWriter]::new([IO.File]::Create($Path))
        try {
            foreach ($number in 0xA1B2C3D4L, 0x40002, 0, 0, 262144, $LinkType) { $writer.Write([uint] $number) }
            foreach ($packet in $Packets) {
                foreach ($number in 1750000000, 0, $packet.Length, $packet.Length) { $writer.Write([uint] $number) }
                $writer.Write($packet)
            }
        }
        finally { $writer.Dispose() }
        $Path
    }
}

Describe 'Start-ConntrackCapture with packets as a source: what it takes' {
    AfterEach { Remove-ConntrackCapture * }

    It '-<Name> is of the type <Type>' -ForEach @(
        @{ Name = 'Source'; Type = 'Conntracker.CaptureSource' }, @{ Name = 'Interface'; Type = 'string' }, @{ Name = 'Filter'; Type = 'string' },
        @{ Name = 'PcapPath'; Type = 'string' }, @{ Name = 'IncomingUdpPort'; Type = 'int[]' }, @{ Name = 'LocalAddress'; Type = 'Conntracker.AddressRange[]' }) {
        (Get-Command Start-ConntrackCapture).Parameters[$Name].ParameterType | Should -Be ([type] $Type)
    }

    It 'refuses <What>: <Id>' -ForEach @(
        @{ What = 'a filter without packets'; Code = { Start-ConntrackCapture -Filter 'tcp' -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'UDP ports without packets'; Code = { Start-ConntrackCapture -IncomingUdpPort 53 -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'an interface of connection tracking'; Code = { Start-ConntrackCapture -Source Conntrack -Interface lo -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'a capture file of connection tracking'; Code = { Start-ConntrackCapture -Source Conntrack -PcapPath x -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'packets with accounting'; Code = { Start-ConntrackCapture -Source Packet -Accounting -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'packets that are traced'; Code = { Start-ConntrackCapture -Source Packet -Trace Flows -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'a replay with a source'; Code = { Start-ConntrackCapture -ReplayPath x -Source Packet -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'a replay with a filter'; Code = { Start-ConntrackCapture -ReplayPath x -Filter tcp -WhatIf }; Id = 'ConntrackArgumentInvalid' }
        @{ What = 'an interface with accounting'; Code = { Start-ConntrackCapture -Interface lo -Accounting }; Id = 'AmbiguousParameterSet' }
        @{ What = 'an interface that is traced'; Code = { Start-ConntrackCapture -Interface lo -Trace Flows }; Id = 'AmbiguousParameterSet' }
        @{ What = 'an interface and a file'; Code = { Start-ConntrackCapture -Interface lo -PcapPath x }; Id = 'AmbiguousParameterSet' }
        @{ What = 'an interface and a replay'; Code = { Start-ConntrackCapture -Interface lo -ReplayPath x }; Id = 'AmbiguousParameterSet' }
        @{ What = 'a file and a replay'; Code = { Start-ConntrackCapture -PcapPath x -ReplayPath x }; Id = 'AmbiguousParameterSet' }
        @{ What = 'a file in a network namespace'; Code = { Start-ConntrackCapture -PcapPath x -NetworkNamespace y }; Id = 'AmbiguousParameterSet' }
        @{ What = 'a file for a time'; Code = { Start-ConntrackCapture -PcapPath x -Duration 5s }; Id = 'AmbiguousParameterSet' }
        @{ What = 'a file with processes'; Code = { Start-ConntrackCapture -PcapPath x -ResolveProcess }; Id = 'AmbiguousParameterSet' }
        @{ What = 'a source that is none'; Code = { Start-ConntrackCapture -Source Smoke }; Id = 'CannotConvertArgument' }
        @{ What = 'UDP port 0'; Code = { Start-ConntrackCapture -Interface lo -IncomingUdpPort 53, 0 }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'UDP port 65536'; Code = { Start-ConntrackCapture -Interface lo -IncomingUdpPort 65536 }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'half an address'; Code = { Start-ConntrackCapture -Interface lo -LocalAddress 10.1 }; Id = 'CannotConvertArgument' }
        @{ What = 'an empty interface'; Code = { Start-ConntrackCapture -Interface '' }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'an empty filter'; Code = { Start-ConntrackCapture -Interface lo -Filter '' }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'an empty path'; Code = { Start-ConntrackCapture -PcapPath '' }; Id = 'ParameterArgumentValidationError' }) {
        $fault = try { & $Code } catch { $_ }
        ($fault.FullyQualifiedErrorId -split ',')[0] | Should -Match "^$Id"
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It '-WhatIf says <Says>, and starts nothing' -ForEach @(
        @{ Line = 'Start-ConntrackCapture -Source Packet'; Says = '"Capture packets" on target "Interface any of network namespace of this process"' }
        @{ Line = 'Start-ConntrackCapture -Source Packet -Filter tcp'; Says = '"Capture packets" on target "Interface any of network namespace of this process"' }
        @{ Line = 'Start-ConntrackCapture -Interface eth0 -NetworkNamespace blue'; Says = '"Capture packets" on target "Interface eth0 of network namespace blue"' }
        @{ Line = 'Start-ConntrackCapture -PcapPath /some/office.pcap'; Says = '"Read packets" on target "Capture file /some/office.pcap"' }
        @{ Line = 'Start-ConntrackCapture -Source Packet -PcapPath /some/a[1]*.pcap'; Says = '"Read packets" on target "Capture file /some/a\[1\]\*.pcap"' }) {
        $other = Invoke-OtherPowerShell "$Line -WhatIf; @(Get-ConntrackCapture).Count"
        $other.Output | Should -Match "$Says\.\s+0$" -Because $other.Errors
    }

    It 'completes sources, interfaces, and any' {
        Get-Completion 'Start-ConntrackCapture -Source ' | Should -Be Conntrack, Packet
        Get-Completion 'Start-ConntrackCapture -Interface ' | Should -Contain lo
        Get-Completion 'Start-ConntrackCapture -Interface a' | Should -Contain any
        Get-Completion 'Start-ConntrackCapture -NetworkNamespace ctpr-nowhere -Interface ' | Should -Be any
    }
}

Describe 'Start-ConntrackCapture -PcapPath' {
    AfterEach { Remove-ConntrackCapture * }

    It 'makes flows of a capture file, to its end: <File>' -ForEach @(@{ File = 'office.pcap' }, @{ File = 'office.pcapng' }) {
        $capture = Start-ConntrackCapture -Name office -PcapPath (Get-Fixture $File) -LocalAddress $here
        "$($capture.State)", "$($capture.Source)", $capture.FlowCount | Should -Be Stopped, Packet, 7
        $capture.Packets, $capture.PacketsSkipped, $capture.PacketsLost, $capture.Malformed, $capture.Lost | Should -Be 26, 1, 0, 0, 0
        $capture.Options.PcapPath, "$($capture.Options.Source)" | Should -Be (Get-Fixture $File), Packet
        "$($capture.Options)" | Should -Be "capture file $(Get-Fixture $File)"
        $capture.Error | Should -BeNullOrEmpty
        Get-Facts ($capture | Get-ConntrackFlow) | Should -Be @(
            'Tcp 192.0.2.10:40001 198.51.100.2:443 Out Closed 7/5 380/400'
            'Tcp 203.0.113.5:50000 192.0.2.10:22 In Assured 2/1 80/40'
            'Udp 192.0.2.10:41053 198.51.100.53:53 Out Replied 1/1 33/37'
            'Udp 192.0.2.10:9999 203.0.113.6:50001 Out Replied 1/1 58/33'
            'Icmp 192.0.2.10: 198.51.100.2: Out Replied 1/1 39/39'
            'Tcp 10.1.0.2:40002 198.51.100.2:80 Forward New 1/0 40/0'
            'Tcp 2001:db8:1::2:40004 2001:db8:2::2:443 Forward Assured 2/1 120/60')
    }

    It 'has the times of the file, not of the reading' {
        $flow = Start-ConntrackCapture -PcapPath $pcap | Get-ConntrackFlow -DstPort 443 -Protocol Tcp -SrcPort 40001
        $flow.FirstSeen | Should -Be ([DateTimeOffset]::FromUnixTimeMilliseconds(1750000000000))
        $flow.LastSeen | Should -Be ([DateTimeOffset]::FromUnixTimeMilliseconds(1750000002500))
    }

    It 'tells no direction of whom it does not know: -LocalAddress does, of addresses and subnets' {
        Start-ConntrackCapture -PcapPath $pcap | Get-ConntrackFlow | ForEach-Object { "$($_.Direction)" } | Sort-Object -Unique | Should -Not -Contain Out
        $flows = Start-ConntrackCapture -PcapPath $pcap -LocalAddress 10.1.0.0/16, 2001:db8:2::/48 | Get-ConntrackFlow
        "$(($flows | Where-Object SrcPort -eq 40002).Direction)" | Should -Be Out
        "$(($flows | Where-Object SrcPort -eq 40004).Direction)" | Should -Be In
        "$(($flows | Where-Object SrcPort -eq 40001).Direction)" | Should -Be Forward
    }

    It 'keeps the packets that -Filter lets pass only' {
        $capture = Start-ConntrackCapture -PcapPath $pcap -Filter 'udp port 53'
        $capture.Packets, $capture.FlowCount, $capture.Options.Filter | Should -Be 2, 1, 'udp port 53'
        "$($capture.Options)" | Should -Be "capture file $pcap, filter 'udp port 53'"
        (Start-ConntrackCapture -PcapPath $pcap -Filter 'vlan and tcp').FlowCount | Should -Be 1
        (Start-ConntrackCapture -PcapPath $pcap -Filter 'host 192.0.2.99').FlowCount | Should -Be 0
    }

    It 'keeps the protocols of -Protocol only' {
        Start-ConntrackCapture -PcapPath $pcap -Protocol Icmp, Udp | Get-ConntrackFlow | ForEach-Object { "$($_.Protocol)" } | Sort-Object | Should -Be Icmp, Udp, Udp
    }

    It 'takes the traffic of services that -IncomingUdpPort names for incoming' {
        $flow = Start-ConntrackCapture -PcapPath $pcap -LocalAddress $here -IncomingUdpPort 9999, 1194 | Get-ConntrackFlow -Protocol Udp -DstPort 9999
        Get-Facts $flow | Should -Be 'Udp 203.0.113.6:50001 192.0.2.10:9999 In Replied 1/1 33/58'
    }

    It 'takes files from the pipeline, capture files and recordings among each other' {
        Copy-Item (Get-Fixture office.pcap), (Get-Fixture office.pcapng), (Get-Fixture office.ctrec) $TestDrive
        $captures = Get-ChildItem $TestDrive -Filter office.* | Sort-Object Name | Start-ConntrackCapture -LocalAddress $here
        $captures | ForEach-Object { "$($_.Source) $($_.FlowCount)" } | Should -Be 'Conntrack 15', 'Packet 7', 'Packet 7'
        Get-ChildItem "$TestDrive/office.pcap*" | Start-ConntrackCapture -Filter 'udp' -Source Packet | ForEach-Object FlowCount | Should -Be 2, 2
        [pscustomobject]@{ PcapPath = $pcap }, [pscustomobject]@{ FullName = $pcap } | Start-ConntrackCapture -Protocol Icmp | ForEach-Object FlowCount | Should -Be 1, 1
        Get-Item $pcap | Start-ConntrackCapture -PcapPath { $_.FullName } -RecordPath "$TestDrive/piped.ctrec" | ForEach-Object FlowCount | Should -Be 7
    }

    It 'refuses a filter for a recording that comes through the pipeline: ConntrackArgumentInvalid' {
        Assert-Fault { Get-Item (Get-Fixture office.ctrec) | Start-ConntrackCapture -Filter udp } ConntrackArgumentInvalid InvalidArgument
    }

    It 'takes whoever types -ReplayPath at his word: RecordingInvalid' {
        Assert-Fault { Start-ConntrackCapture -ReplayPath $pcap } RecordingInvalid InvalidData
    }

    It 'takes a path relative to where the user is, of a drive, and with letters that are wildcards elsewhere' {
        Copy-Item $pcap "$TestDrive/a[1].pcap"
        Push-Location $TestDrive
        try { (Start-ConntrackCapture -PcapPath './a[1].pcap').FlowCount | Should -Be 7 } finally { Pop-Location }
        (Start-ConntrackCapture -PcapPath 'TestDrive:/a[1].pcap').FlowCount | Should -Be 7
        Get-ChildItem -LiteralPath "$TestDrive/a[1].pcap" | Start-ConntrackCapture | ForEach-Object FlowCount | Should -Be 7
    }

    It 'says that <What>: <Id>' -ForEach @(
        @{ What = 'a file is not there'; File = { "$TestDrive/none.pcap" }; Id = 'PcapFailed'; Category = 'OpenError' }
        @{ What = 'a file is a folder'; File = { "$TestDrive" }; Id = 'PcapFailed'; Category = 'OpenError' }
        @{ What = 'a file is none'; File = { Get-Fixture office.ctrec }; Id = 'PcapInvalid'; Category = 'InvalidData' }
        @{ What = 'a file is empty'; File = { (New-Item "$TestDrive/empty.pcap").FullName }; Id = 'PcapInvalid'; Category = 'InvalidData' }
        @{ What = 'packets have heads that cannot be read'; File = { New-Pcap "$TestDrive/usb.pcap" 189 }; Id = 'LinkTypeUnknown'; Category = 'InvalidData' }) {
        $file = & $File
        Assert-Fault { Start-ConntrackCapture -PcapPath $file } $Id $Category
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'says that a filter is none, with libpcap''s own words: FilterInvalid' {
        Assert-Fault { Start-ConntrackCapture -PcapPath $pcap -Filter 'tcp prot 443' } FilterInvalid InvalidArgument
        try { Start-ConntrackCapture -PcapPath $pcap -Filter 'tcp prot 443' } catch { "$_" | Should -Match 'tcp prot 443.*(syntax|parse) error' }
    }

    It 'reads a file that was cut off up to there, and says so' {
        $bytes = [IO.File]::ReadAllBytes($pcap)
        [IO.File]::WriteAllBytes("$TestDrive/cut.pcap", $bytes[0..($bytes.Length - 10)])
        $capture = Start-ConntrackCapture -PcapPath "$TestDrive/cut.pcap" -WarningVariable said -WarningAction SilentlyContinue
        $capture.Packets, $capture.FlowCount | Should -Be 25, 7
        "$said $($capture.Error)" | Should -Match 'cut\.pcap'
    }

    It 'counts packets that are cut off, and makes no flow of them' {
        $capture = Start-ConntrackCapture -PcapPath (New-Pcap "$TestDrive/short.pcap" 1 @(, ([byte[]] (@(2) * 12 + 8, 0, 0x45, 0, 0, 40))))
        $capture.Packets, $capture.Malformed, $capture.FlowCount | Should -Be 1, 1, 0
    }

    It 'needs no privilege' {
        Copy-Item $pcap "$TestDrive/open.pcap"
        $null = chmod -R a+rX $TestDrive
        $other = Invoke-OtherPowerShell -Unprivileged "(Start-ConntrackCapture -PcapPath '$TestDrive/open.pcap').FlowCount"
        $other.Output | Should -Be 7 -Because $other.Errors
    }

    It 'records what it reads, and the replay has the same flows' {
        $first = Start-ConntrackCapture -Name first -PcapPath $pcap -LocalAddress $here -RecordPath "$TestDrive/office2.ctrec"
        $again = Start-ConntrackCapture -Name again -ReplayPath "$TestDrive/office2.ctrec" -LocalAddress $here
        (ConvertTo-FlowText ($again | Get-ConntrackFlow)) | Sort-Object | Should -Be (ConvertTo-FlowText ($first | Get-ConntrackFlow) | Sort-Object)
        "$($again.Source)", $again.Packets, $again.PacketsSkipped | Should -Be Packet, 26, 1
    }

    It 'shows in one row of 120 columns where the flows come from, with packets as they were counted' {
        $null = Start-ConntrackCapture -Name office -PcapPath $pcap
        $null = Start-Office again
        $lines = (Get-ConntrackCapture | Out-String -Width 120) -split "`n" | ForEach-Object TrimEnd | Where-Object { $_ }
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
        $lines[0] | Should -Match 'Malformed Source$'
        $lines[2] | Should -Match '^ *\d+ office +Stopped .* 7 +26 +0 +0 +0 +0 office\.pcap$'
        $lines[3] | Should -Match '^ *\d+ again +Stopped .* 15 +41 +0 .* office\.ctrec$'
        $file = Join-Path $TestDrive captures.clixml
        Get-ConntrackCapture | Export-Clixml $file
        (Import-Clixml $file | Out-String -Width 120) | Should -Be (Get-ConntrackCapture | Out-String -Width 120)
        "$((Import-Clixml $file)[0].Source)", (Import-Clixml $file)[0].Packets, "$((Import-Clixml $file)[0].Options)" | Should -Be Packet, 26, "capture file $pcap"
    }

    It 'writes a log of it as of any other capture' {
        Start-ConntrackCapture -PcapPath $pcap -Filter 'port 53' | Get-ConntrackFlow | Format-ConntrackLog |
            Should -Contain ' UDPv4 [           0] src = 192.0.2.10 (port=41053) to dst = 198.51.100.53 (port=53) (-)'
    }
}

Describe 'Start-ConntrackCapture -Interface' -Tag Live {
    BeforeAll {
        if (-not (Get-LiveObstacle)) {
            $namespace = New-TestNamespace
            $null = Invoke-Program ip -n $namespace link add ctpr0 type veth peer name ctpr1
            $null = Invoke-Program ip -n $namespace address add 192.0.2.1/24 dev ctpr0
            $null = Invoke-Program ip -n $namespace link set ctpr0 up
            $null = Invoke-Program ip -n $namespace link set ctpr1 up
            $null = Invoke-Program ip -n $namespace link add ctpr2 type veth peer name ctpr3
        }
    }

    AfterAll { Remove-TestNamespace $namespace }
    AfterEach { Remove-ConntrackCapture * }

    It 'captures the packets of <Interface>, counted, without any connection tracking' -Skip:$noLive -ForEach @(@{ Interface = 'lo' }, @{ Interface = 'any' }) {
        $capture = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Interface $Interface
        "$($capture.State)", "$($capture.Source)", "$($capture.Options)" | Should -Be Running, Packet, "packets of $Interface in network namespace $namespace"
        Get-NftTables $namespace | Should -BeNullOrEmpty
        Send-Tcp $namespace 8081
        Send-Udp $namespace 20000 1
        Send-Ping $namespace
        Wait-Until 'the ping' { $capture | Get-ConntrackFlow -Protocol Icmp -State Replied }
        $capture | Stop-ConntrackCapture
        $tcp = $capture | Get-ConntrackFlow -Protocol Tcp -DstPort 8081
        "$($tcp.Direction)", "$($tcp.State)", $tcp.Confirmed, $tcp.Connections | Should -Be Local, Closed, $true, 1
        $tcp.Bytes | Should -BeGreaterThan 1000
        $tcp.Packets | Should -BeGreaterThan 3
        $tcp.ReplyBytes | Should -BeLessThan $tcp.Bytes
        $udp = $capture | Get-ConntrackFlow -Protocol Udp -SrcPort 20000
        "$($udp.Direction)", "$($udp.State)", $udp.Packets, $udp.Bytes, $udp.ReplyPackets | Should -Be Local, New, 1, 29, 0
        $ping = $capture | Get-ConntrackFlow -Protocol Icmp
        $ping.IcmpType, $ping.Confirmed, $ping.Packets, $ping.ReplyPackets | Should -Be 8, $true, 1, 1
        $capture.Packets | Should -BeGreaterThan 8
        $capture.PacketsLost, $capture.Malformed, $capture.Events | Should -Be 0, 0, 0
    }

    It 'captures every interface with -Source Packet alone, and keeps what -Filter lets pass' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Source Packet -Filter 'udp dst port 9'
        Send-Udp $namespace 21000 2
        Send-Ping $namespace
        Wait-Until 'two flows' { $capture.FlowCount -eq 2 }
        $capture | Stop-ConntrackCapture
        $capture | Get-ConntrackFlow | ForEach-Object SrcPort | Sort-Object | Should -Be 21000, 21001
        $capture.Packets | Should -Be 2
    }

    It 'tells what leaves the host, and counts -LocalAddress as the host''s own' -Skip:$noLive {
        $capture = Start-ConntrackCapture -Name out -NetworkNamespace $namespace -Interface ctpr0 -Protocol Udp
        $mine = Start-ConntrackCapture -Name mine -NetworkNamespace $namespace -Interface ctpr0 -Protocol Udp -LocalAddress 198.51.100.0/24
        $null = Invoke-Program ip -n $namespace route replace 198.51.100.0/24 dev ctpr0
        $null = Invoke-Program ip -n $namespace neigh replace 198.51.100.7 lladdr 02:00:00:00:00:07 dev ctpr0
        $null = Invoke-Program ip netns exec $namespace python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.1", 22000)); s.sendto(b"x", ("198.51.100.7", 5000))'
        Wait-Until 'the flow' { ($capture | Get-ConntrackFlow -SrcPort 22000) -and ($mine | Get-ConntrackFlow -SrcPort 22000) }
        "$(($capture | Get-ConntrackFlow -SrcPort 22000).Direction)" | Should -Be Out
        "$(($mine | Get-ConntrackFlow -SrcPort 22000).Direction)" | Should -Be Local
    }

    It 'ends by itself after -Duration, and on Stop-ConntrackCapture at once' -Skip:$noLive {
        $capture = Start-ConntrackCapture -NetworkNamespace $namespace -Interface lo -Duration 500ms
        "$($capture.State)" | Should -Be Running
        "$(($capture | Wait-ConntrackCapture -Timeout 10s).State)" | Should -Be Stopped
        $second = Start-ConntrackCapture -NetworkNamespace $namespace -Interface lo
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $second | Stop-ConntrackCapture
        $watch.Elapsed.TotalSeconds | Should -BeLessThan 3
        "$($second.State)" | Should -Be Stopped
    }

    It 'records packets, and the replay has the same flows' -Skip:$noLive {
        $live = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Interface lo -RecordPath "$TestDrive/packets.ctrec"
        Send-Tcp $namespace 8082
        Send-Udp $namespace 23000 3
        Wait-Until 'the flows' { @($live | Get-ConntrackFlow -SrcPort 23000-23002).Count -eq 3 }
        $live | Stop-ConntrackCapture
        $again = Start-ConntrackCapture -Name again -ReplayPath "$TestDrive/packets.ctrec"
        (ConvertTo-FlowText ($again | Get-ConntrackFlow)) | Sort-Object | Should -Be (ConvertTo-FlowText ($live | Get-ConntrackFlow) | Sort-Object)
        "$($again.Source)" | Should -Be Packet
    }

    It 'says that <What>: <Id>' -Skip:$noLive -ForEach @(
        @{ What = 'an interface is not there'; Code = { Start-ConntrackCapture -NetworkNamespace $namespace -Interface ctpr9 }; Id = 'InterfaceNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'an interface is down'; Code = { Start-ConntrackCapture -NetworkNamespace $namespace -Interface ctpr2 }; Id = 'InterfaceRefused'; Category = 'OpenError' }
        @{ What = 'a filter is none'; Code = { Start-ConntrackCapture -NetworkNamespace $namespace -Interface lo -Filter 'tcp prot 443' }; Id = 'FilterInvalid'; Category = 'InvalidArgument' }
        @{ What = 'a network namespace is not there'; Code = { Start-ConntrackCapture -NetworkNamespace ctpr-nowhere -Interface lo }; Id = 'NetworkNamespaceNotFound'; Category = 'ObjectNotFound' }) {
        Assert-Fault $Code $Id $Category
        Get-ConntrackCapture | Should -BeNullOrEmpty
    }

    It 'tells a user without privileges which capability is missing: ConntrackPermissionDenied' {
        $other = Invoke-OtherPowerShell -Unprivileged 'try { Start-ConntrackCapture -Interface lo } catch { $_.FullyQualifiedErrorId; $_.Exception.Message }'
        $other.Output | Should -Match '^ConntrackPermissionDenied,'
        $other.Output | Should -Match 'CAP_NET_RAW'
    }

    It 'completes the interfaces of the namespace that it is to capture in' -Skip:$noLive {
        Get-Completion "Start-ConntrackCapture -NetworkNamespace $namespace -Interface " | Sort-Object | Should -Be any, ctpr0, ctpr1, ctpr2, ctpr3, lo
        Get-Completion 'Start-ConntrackCapture -Interface c' | Should -Not -Contain ctpr0
    }

    It 'streams flows of packets as they appear' -Skip:$noLive {
        $null = Start-ConntrackCapture -Name live -NetworkNamespace $namespace -Interface lo
        $job = Start-ThreadJob { param($name, $path) Import-Module $path; Watch-ConntrackFlow -Name $name -SrcPort 24000 -Count 1 -Duration 10s } -ArgumentList live, (Get-ModulePath)
        Wait-Until 'the flow' { Send-Udp $namespace 24000 1; $job.State -ne 'Running' }
        ($job | Receive-Job -Wait -AutoRemoveJob).SrcPort | Should -Be 24000
    }
}
