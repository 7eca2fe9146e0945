BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Import-ConntrackLog' {
    It 'reads a log of V1' {
        $flows = Import-ConntrackLog (Get-Fixture v1.log)
        $flows | Should -BeOfType Conntracker.Flow
        $flows.Count | Should -Be 5
        "$($flows[0].Protocol)", $flows[0].SrcPort, $flows[0].Confirmed, "$($flows[0].State)" | Should -Be Tcp, 1024, $true, Replied
        $flows[1].Confirmed, "$($flows[1].State)" | Should -Be $false, New
        $flows[3].IcmpType, "$($flows[4].Family)" | Should -Be 8, IPv6
    }

    It 'reads a log of V2 with its rules' {
        $flows = Import-ConntrackLog (Get-Fixture v2.log)
        $flows.Count, $flows[0].Trace.Count | Should -Be 2, 3
        $flows[0].Trace[0].Table, $flows[0].Trace[0].Position, "$($flows[0].Trace[0].Type)" | Should -Be raw, 3, Rule
        $flows[1].Trace[0].Family, $flows[1].Trace[0].Table, "$($flows[1].Trace[0].Engine)" | Should -Be inet, firewall, Nftables
    }

    It 'reads a log of V3: a line and its mirror are one flow, with the process' {
        $flows = Import-ConntrackLog (Get-Fixture v3.log)
        $flows.Count | Should -Be 3
        $flows[0].DstPort, $flows[0].ReplyDstPort, $flows[0].Confirmed | Should -Be 22, 46666, $true
        $flows[0].Process.Name, $flows[0].Process.Id, $flows[0].Process.UserName | Should -Be ssh, 5057, root
        $flows[1].Confirmed, $flows[1].Process | Should -Be $false, $null
    }

    It 'reads the old log <Log> and writes it back to the letter' -ForEach @(
        @{ Log = 'v1-flows.log'; Style = 'V1' }, @{ Log = 'v2-tcpv4-only.log'; Style = 'V2' }, @{ Log = 'v2-trace.log'; Style = 'V2' },
        @{ Log = 'v3-flows.log'; Style = 'V3' }, @{ Log = 'v3-trace.log'; Style = 'V3' }, @{ Log = 'v3-trace-process.log'; Style = 'V3' }) {
        $lines = @(Get-Content (Get-Fixture $Log) | Where-Object { $_ -match '^ ?[A-Z]' -or $_ -match 'table:' })
        $again = @(Import-ConntrackLog (Get-Fixture $Log) -ErrorAction Stop | Format-ConntrackLog -Style $Style)
        ($again -replace '\[.{12}\]' | Sort-Object) | Should -Be ($lines -replace '\[.{12}\]' | Sort-Object)
    }

    It 'takes paths, several paths and wildcards, from the pipeline as well' {
        Copy-Item (Get-Fixture v1.log), (Get-Fixture v2.log) $TestDrive
        @(Import-ConntrackLog "$TestDrive/v1.log", "$TestDrive/v2.log").Count | Should -Be 7
        @(Import-ConntrackLog "$TestDrive/v?.log").Count | Should -Be 7
        @("$TestDrive/v1.log" | Import-ConntrackLog).Count | Should -Be 5
        Push-Location $TestDrive
        try { @(Import-ConntrackLog ./v*.log).Count | Should -Be 7 } finally { Pop-Location }
    }

    It 'takes files from Get-ChildItem, and literal paths with brackets' {
        $null = New-Item -ItemType Directory "$TestDrive/f" -Force
        Copy-Item (Get-Fixture v1.log) "$TestDrive/f/a[1].log"
        @(Get-ChildItem "$TestDrive/f" | Import-ConntrackLog).Count | Should -Be 5
        @(Import-ConntrackLog -LiteralPath "$TestDrive/f/a[1].log").Count | Should -Be 5
        @([pscustomobject]@{ FullName = "$TestDrive/f/a[1].log" } | Import-ConntrackLog).Count | Should -Be 5
    }

    It 'goes on behind a line that it cannot read, and says which and why: LogLineInvalid' {
        $lines = Get-Content (Get-Fixture v1.log)
        Set-Content "$TestDrive/bad.log" ($lines[0], ' TCPv4 [ damaged', $lines[1], 'nonsense', $lines[2])
        $flows = Import-ConntrackLog "$TestDrive/bad.log" -ErrorVariable faults -ErrorAction SilentlyContinue
        $flows.Count, $faults.Count | Should -Be 3, 2
        $faults[0].FullyQualifiedErrorId | Should -Be 'LogLineInvalid,Conntracker.PowerShell.Commands.ImportConntrackLogCommand'
        "$($faults[0].CategoryInfo.Category)", $faults[0].TargetObject | Should -Be InvalidData, "$TestDrive/bad.log"
        "$($faults[0])", "$($faults[1])" | Should -Match 'Line [24]: '
        Assert-Fault { Import-ConntrackLog "$TestDrive/bad.log" -ErrorAction Stop } LogLineInvalid InvalidData
    }

    It 'goes on behind what it cannot read in <Format>' -ForEach @(
        @{ Format = 'JsonLines'; Text = '{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}', '{"Protocol":', '{"Protocol":"Udp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}' }
        @{ Format = 'Json'; Text = '[{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"},', '{"Protocol":"nonsense"},', '{"Protocol":"Udp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}]' }
        @{ Format = 'Csv'; Text = 'Protocol,Family,SrcAddress,DstAddress', 'Tcp,IPv4,10.0.0.1,10.0.0.2', 'Tcp,IPv4,10.0.0.300,10.0.0.2', 'Udp,IPv4,10.0.0.1,10.0.0.2' }) {
        Set-Content "$TestDrive/bad.$Format" $Text
        $flows = Import-ConntrackLog "$TestDrive/bad.$Format" -ErrorVariable faults -ErrorAction SilentlyContinue
        "$($flows.Protocol)", $faults.Count, ($faults[0].FullyQualifiedErrorId -split ',')[0] | Should -Be 'Tcp Udp', 1, LogLineInvalid
    }

    It 'says that a file is not there, and reads the others: LogNotFound' {
        Assert-Fault { Import-ConntrackLog "$TestDrive/none.log" -ErrorAction Stop } LogNotFound ObjectNotFound
        Assert-Fault { Import-ConntrackLog -LiteralPath "$TestDrive/none.log" -ErrorAction Stop } LogNotFound ObjectNotFound
        @(Import-ConntrackLog "$TestDrive/none.log", (Get-Fixture v1.log) -ErrorAction SilentlyContinue).Count | Should -Be 5
        Import-ConntrackLog "$TestDrive/none*.log" -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'says that a path is a folder, and not that a privilege is missing' {
        $fault = try { Import-ConntrackLog "$TestDrive" -ErrorAction Stop } catch { $_ }
        $fault.FullyQualifiedErrorId | Should -Match '^LogNotFound,'
        "$fault" | Should -Match 'folder'
    }

    It 'says that a file may not be read: ConntrackPermissionDenied' {
        Copy-Item (Get-Fixture v1.log) "$TestDrive/closed.log"
        $null = chmod -R a+rX $TestDrive
        $null = chmod 000 "$TestDrive/closed.log"
        $other = Invoke-OtherPowerShell -Unprivileged "try { Import-ConntrackLog '$TestDrive/closed.log' } catch { `$_.FullyQualifiedErrorId }"
        $other.Output | Should -Match '^ConntrackPermissionDenied,'
    }

    It 'streams: Select-Object -First 1 ends it early, whatever stands below' {
        Set-Content "$TestDrive/long.jsonl" ('{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}', '{"damaged')
        Import-ConntrackLog "$TestDrive/long.jsonl" -ErrorAction Stop | Select-Object -First 1 | Should -BeOfType Conntracker.Flow
    }

    It 'tells a file that is named otherwise by its content, and takes -Format at its word' {
        Set-Content "$TestDrive/flows.txt" '{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}'
        @(Import-ConntrackLog "$TestDrive/flows.txt").Count | Should -Be 1
        Assert-Fault { Import-ConntrackLog "$TestDrive/flows.txt" -Format Text -ErrorAction Stop } LogLineInvalid InvalidData
        { Import-ConntrackLog "$TestDrive/flows.txt" -Format Xml } | Should -Throw -ErrorId 'CannotConvertArgument*'
    }

    It 'reads an empty file as no flows' {
        $null = New-Item "$TestDrive/empty.log"
        Import-ConntrackLog "$TestDrive/empty.log" -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'says that a file is UTF-16' {
        Set-Content "$TestDrive/wide.log" (Get-Content (Get-Fixture v1.log)) -Encoding unicode
        Import-ConntrackLog "$TestDrive/wide.log" -ErrorVariable fault -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$fault" | Should -Match 'UTF-16'
    }

    Context 'of a tree' {
        BeforeAll {
            $tree = "$TestDrive/rules"
            $names = 'in/tcp/INTERNET-PORT-192.0.2.1-22', 'out/icmpv6/2001:db8::1-128-INTERNET-0', 'else/gre/10.0.0.1-10.0.0.2', 'else/udp/10.0.0.0_24-PORT-10.0.1.0_24-53'
            $names | ForEach-Object { $null = New-Item "$tree/$_" -Force }
        }

        It 'makes a flow of each entry, with what its path tells' {
            $flows = @(Import-ConntrackLog $tree -ErrorAction Stop)
            $flows | Should -BeOfType Conntracker.Flow
            $flows.Count | Should -Be 4
            $in = $flows | Where-Object Direction -eq In
            "$($in.Protocol)", "$($in.SrcAddress)", $in.SrcPort, "$($in.DstAddress)", $in.DstPort, "$($in.Folding)" | Should -Be Tcp, 0.0.0.0, $null, 192.0.2.1, 22, Internet
            $out = $flows | Where-Object Direction -eq Out
            "$($out.Family)", "$($out.DstAddress)", $out.IcmpType, $out.IcmpCode, "$($out.Folding)" | Should -Be IPv6, '::', 128, 0, Internet
            $subnet = $flows | Where-Object DstPort -eq 53
            "$($subnet.Direction)", "$($subnet.SrcAddress)", "$($subnet.Folding)" | Should -Be Unknown, 10.0.0.0, Subnet
            @(Import-ConntrackLog $tree -Format Tree).Count | Should -Be 4
            @(Import-ConntrackLog -LiteralPath $tree).Count | Should -Be 4
            @(Get-Item $tree | Import-ConntrackLog).Count | Should -Be 4
        }

        It 'goes on behind a name that is no entry, and says which: LogLineInvalid' {
            Copy-Item $tree "$TestDrive/bad" -Recurse
            $null = New-Item "$TestDrive/bad/in/tcp/nonsense", "$TestDrive/bad/notes"
            $flows = @(Import-ConntrackLog "$TestDrive/bad" -ErrorVariable faults -ErrorAction SilentlyContinue)
            $flows.Count, $faults.Count | Should -Be 4, 2
            ($faults.FullyQualifiedErrorId -split ',')[0] | Should -Be LogLineInvalid
            "$faults" | Should -Match 'in/tcp/nonsense'
            Assert-Fault { Import-ConntrackLog "$TestDrive/bad" -ErrorAction Stop } LogLineInvalid InvalidData
        }

        It 'shows the far end of a tree''s entry as INTERNET' {
            $shown = "$TestDrive/shown"
            foreach ($entry in 'out/tcp/192.168.0.5-PORT-INTERNET-443', 'in/udp/INTERNET-PORT-192.168.0.5-53') {
                $null = New-Item -Path "$shown/$entry" -Force
            }
            $text = Import-ConntrackLog $shown | Format-Table | Out-String -Width 200
            $text | Should -Match '192\.168\.0\.5 +INTERNET:443'
            $text | Should -Match 'INTERNET +192\.168\.0\.5:53'
        }

        It 'says that a file is no tree, and that a folder is no file: LogNotFound' {
            Assert-Fault { Import-ConntrackLog (Get-Fixture v1.log) -Format Tree -ErrorAction Stop } LogNotFound ObjectNotFound
            Assert-Fault { Import-ConntrackLog $tree -Format Json -ErrorAction Stop } LogNotFound ObjectNotFound
            Assert-Fault { Import-ConntrackLog -LiteralPath "$TestDrive/none" -Format Tree -ErrorAction Stop } LogNotFound ObjectNotFound
        }

        It 'reads an empty folder as an empty tree when it is said to be one' {
            $null = New-Item -ItemType Directory "$TestDrive/empty"
            Import-ConntrackLog "$TestDrive/empty" -Format Tree -ErrorAction Stop | Should -BeNullOrEmpty
        }
    }
}
