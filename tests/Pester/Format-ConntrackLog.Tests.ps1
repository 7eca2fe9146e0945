BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Format-ConntrackLog' {
    BeforeAll { $flows = Start-Office | Get-ConntrackFlow }
    AfterAll { Remove-ConntrackCapture * }

    It 'emits one string a line, V3 when no style is given' {
        $lines = $flows | Format-ConntrackLog
        $lines | Should -BeOfType string
        $lines -match "`n" | Should -BeNullOrEmpty
        $lines | Should -Be ($flows | Format-ConntrackLog -Style V3)
    }

    It 'writes V3: ports as they are, and the reply tuple of NAT as a line of its own' {
        $lines = $flows | Where-Object DstPort -in 8080, 53 | Format-ConntrackLog -Style V3
        $lines | Should -Be @(
            ' TCPv4 [           0] src = 10.1.0.2 (port=40003) to dst = 203.0.113.80 (port=8080) (-)'
            ' TCPv4 [           1] src = 198.51.100.2 (port=80) to dst = 10.1.0.2 (port=40003) (-)'
            ' UDPv4 [           0] src = 10.1.0.2 (port=41053) to dst = 198.51.100.2 (port=53) (-)'
            ' UDPv4 [           1] src = 198.51.100.2 (port=53) to dst = 198.51.100.1 (port=41053) (-)')
    }

    It 'writes V1: client ports as 1024, (confirmed), equal lines once' {
        $flows | Where-Object { $_.Protocol -in 'Tcp', 'Udp' -and $_.DstPort -in 22, 5353, 443 } | Format-ConntrackLog -Style V1 | Should -Be @(
            ' TCPv4 [           0] src = 10.1.0.2 (port=1024) to dst = 198.51.100.2 (port=22) (confirmed)'
            ' TCPv4 [           1] src = 10.1.0.3 (port=1024) to dst = 192.0.2.3 (port=443) (confirmed)'
            ' UDPv4 [           0] src = 10.1.0.2 (port=1024) to dst = 198.51.100.2 (port=5353)'
            ' TCPv6 [           0] src = 2001:db8:1::2 (port=1024) to dst = 2001:db8:2::2 (port=443) (confirmed)')
        @($flows[0], $flows[0] | Format-ConntrackLog -Style V1).Count | Should -Be 1
    }

    It 'writes the true ICMP type and code' {
        $flows | Where-Object Protocol -eq IcmpV6 | Format-ConntrackLog -Style V1 |
            Should -Be 'ICMPv6 [           0] src = 2001:db8:1::2 to dst = 2001:db8:2::2 (type=128 | code=0) (confirmed)'
    }

    It 'sorts labels in the log''s order, then addresses as numbers' {
        $lines = $flows | Format-ConntrackLog -Style V1
        $lines.Substring(0, 6) | Select-Object -Unique | Should -Be ' TCPv4', ' UDPv4', 'ICMPv4', ' TCPv6', ' UDPv6', 'ICMPv6', ' P89v4', 'SCTPv4', 'UDPLv4'
        Set-Content "$TestDrive/order.csv" 'Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort'
        '10.0.0.10', '9.255.0.1', '10.0.0.9', '100.0.0.1' | ForEach-Object { Add-Content "$TestDrive/order.csv" "Tcp,IPv4,$_,5000,192.0.2.1,80" }
        Import-ConntrackLog "$TestDrive/order.csv" | Format-ConntrackLog | ForEach-Object { ($_ -split ' ')[-8] } | Should -Be '9.255.0.1', '10.0.0.9', '10.0.0.10', '100.0.0.1'
    }

    It 'numbers the lines within each label from 0' {
        $lines = $flows | Format-ConntrackLog
        foreach ($group in $lines | Group-Object { $_.Substring(0, 6) }) {
            $group.Group | ForEach-Object { [int] $_.Substring(8, 12) } | Should -Be @(0..($group.Count - 1))
        }
    }

    It 'takes flows by parameter and by position as well' {
        Format-ConntrackLog $flows | Should -Be ($flows | Format-ConntrackLog)
        Format-ConntrackLog -InputObject $flows -Style V2 | Should -Be ($flows | Format-ConntrackLog -Style V2)
    }

    It 'writes the process and the rules: in V3 not those of raw, in V2 those too' {
        $traced = Import-ConntrackLog (Get-Fixture v3.log)
        $traced | Format-ConntrackLog | Select-Object -First 2 | Should -Be @(
            ' TCPv4 [           0] src = 10.1.0.2 (port=46666) to dst = 198.51.100.2 (port=22) (ssh,pid:5057,uid:root)'
            "`t`t`t`ttable: mangle, chain: OUTPUT, type: policy")
        $old = Import-ConntrackLog (Get-Fixture v2.log)
        ($old | Format-ConntrackLog -Style V2) -match 'table: raw' | Should -Not -BeNullOrEmpty
        ($old | Format-ConntrackLog -Style V3) -match 'table: raw|policy, position' | Should -BeNullOrEmpty
        ($old | Format-ConntrackLog -Style V1) -match 'table:' | Should -BeNullOrEmpty
    }

    It 'refuses a generation that there is not, and what is no flow' {
        { $flows | Format-ConntrackLog -Style V4 } | Should -Throw -ErrorId 'CannotConvertArgument*'
        { 'text' | Format-ConntrackLog -ErrorAction Stop } | Should -Throw -ErrorId 'InputObjectNotBound,*'
    }

    It 'completes the generations' {
        Get-Completion 'Format-ConntrackLog -Style ' | Should -Be V1, V2, V3
    }
}
