BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'Export-ConntrackLog' {
    BeforeAll { $flows = @(Start-Office | Get-ConntrackFlow) }
    AfterAll { Remove-ConntrackCapture * }
    BeforeEach {
        $folder = Join-Path $TestDrive (New-Guid)
        $null = New-Item -ItemType Directory $folder
        $path = Join-Path $folder flows.log
    }

    It 'writes <Format>, and Import-ConntrackLog makes equal flows of it: every property' -ForEach @(@{ Format = 'Json' }, @{ Format = 'JsonLines' }, @{ Format = 'Csv' }) {
        $flows | Export-ConntrackLog $path -Format $Format | Should -BeNullOrEmpty
        ConvertTo-FlowText @(Import-ConntrackLog $path) | Should -Be (ConvertTo-FlowText $flows)
        ConvertTo-FlowText @(Import-ConntrackLog $path -Format $Format) | Should -Be (ConvertTo-FlowText $flows)
    }

    It 'keeps process and rules in <Format>' -ForEach @(@{ Format = 'Json' }, @{ Format = 'JsonLines' }, @{ Format = 'Csv' }) {
        $traced = @(Import-ConntrackLog (Get-Fixture v3.log)) + @(Import-ConntrackLog (Get-Fixture v2.log))
        $traced | Export-ConntrackLog $path -Format $Format
        $again = @(Import-ConntrackLog $path)
        ConvertTo-FlowText $again | Should -Be (ConvertTo-FlowText $traced)
        $again[0].Process.Name, $again[0].Trace[0].Chain | Should -Be ssh, OUTPUT
    }

    It 'writes a text log of <Style> that reads and writes back to the letter' -ForEach @(@{ Style = 'V1' }, @{ Style = 'V2' }, @{ Style = 'V3' }) {
        $flows | Export-ConntrackLog $path -Style $Style
        Get-Content $path | Should -Be ($flows | Format-ConntrackLog -Style $Style)
        Import-ConntrackLog $path | Export-ConntrackLog "$path.again" -Style $Style
        (Get-FileHash "$path.again").Hash | Should -Be (Get-FileHash $path).Hash
    }

    It 'writes a V3 text log when neither format nor style is given' {
        $flows | Export-ConntrackLog -Path $path
        Get-Content $path | Should -Be ($flows | Format-ConntrackLog -Style V3)
    }

    It 'writes JSON and CSV that other programs read, with the property names' {
        $flows | Export-ConntrackLog $path -Format Json
        $there = Get-Content $path -Raw | ConvertFrom-Json
        $there.Count, $there[2].ReplySrcAddress, $there[2].State | Should -Be 15, '198.51.100.2', 'Assured'
        $flows | Export-ConntrackLog $path -Format Csv
        $rows = Import-Csv $path
        $rows.Count, $rows[2].DstPort | Should -Be 15, '8080'
        $rows[0].PSObject.Properties.Name | Should -Be ([Conntracker.Flow].GetProperties().Name)
    }

    It '-PassThru emits the file, which only its owner can read' {
        $file = $flows | Export-ConntrackLog $path -PassThru
        $file | Should -BeOfType System.IO.FileInfo
        $file.FullName | Should -Be $path
        $file.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite')
    }

    It 'takes flows by parameter, and a path where the user is' {
        Push-Location $folder
        try { Export-ConntrackLog -Path ./here.log -InputObject $flows } finally { Pop-Location }
        Get-Content "$folder/here.log" | Should -Be ($flows | Format-ConntrackLog)
    }

    It 'writes an empty log of no flows, replacing the old one' {
        Set-Content $path old
        @() | Export-ConntrackLog $path
        (Get-Item $path).Length | Should -Be 0
        @() | Export-ConntrackLog $path -Format Json
        (Get-Content $path -Raw).Trim() -replace '\s' | Should -Be '[]'
    }

    It '-WhatIf writes nothing' {
        Set-Content $path old
        $flows | Export-ConntrackLog $path -WhatIf
        $flows | Export-ConntrackLog "$folder/other" -WhatIf
        Get-Content $path | Should -Be old
        (Get-ChildItem $folder -Force).Name | Should -Be flows.log
    }

    It 'keeps what a long pipeline gave it when somebody takes the path before it is written: LogTargetIsLink' {
        { $flows | ForEach-Object { $null = New-Item -ItemType SymbolicLink $path -Target /etc/passwd -Force; $_ } | Export-ConntrackLog $path } |
            Should -Throw -ErrorId 'LogTargetIsLink*' -ExpectedMessage "*$folder/conntracker-*.log*"
        $kept = Get-ChildItem $folder -Filter conntracker-*.log
        Get-Content $kept | Should -Be ($flows | Format-ConntrackLog)
        $kept.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite')
        (Get-Item $path).LinkTarget | Should -Be /etc/passwd
    }

    It '-NoClobber keeps a file that is there, and writes a new one: LogExists' {
        Set-Content $path old
        Assert-Fault { $flows | Export-ConntrackLog $path -NoClobber } LogExists ResourceExists
        Get-Content $path | Should -Be old
        $flows | Export-ConntrackLog "$folder/new.log" -NoClobber
        Get-Content "$folder/new.log" | Should -Be ($flows | Format-ConntrackLog)
    }

    It 'follows no link, and leaves what it points to: LogTargetIsLink' {
        Set-Content "$folder/real" old
        $null = New-Item -ItemType SymbolicLink $path -Target "$folder/real"
        Assert-Fault { $flows | Export-ConntrackLog $path } LogTargetIsLink SecurityError
        Get-Content "$folder/real" | Should -Be old
    }

    It 'says that the folder is not there: LogFolderNotFound' {
        Assert-Fault { $flows | Export-ConntrackLog "$folder/none/flows.log" } LogFolderNotFound ObjectNotFound
    }

    It 'does not replace a folder: LogTargetNotRegular' {
        Assert-Fault { $flows | Export-ConntrackLog $folder } LogTargetNotRegular InvalidArgument
    }

    It 'leaves the old file, and nothing beside it, when a flow cannot be had' {
        Set-Content $path old
        { & { $flows[0]; throw 'the source failed' } | Export-ConntrackLog $path } | Should -Throw 'the source failed'
        Get-Content $path | Should -Be old
        (Get-ChildItem $folder -Force).Name | Should -Be flows.log
    }

    It 'leaves the old file, and nothing beside it, when the pipeline is stopped' {
        Set-Content $path old
        $flows | Export-ConntrackLog $path -Format Json -PassThru | Out-Null
        $before = Get-Content $path -Raw
        $shell = [powershell]::Create().AddScript("Import-Module '$(Get-ModulePath)'; & { Import-ConntrackLog '$path'; `$null = New-Item '$folder.begun'; Start-Sleep 30 } | Export-ConntrackLog '$path'")
        $null = $shell.BeginInvoke()
        for ($i = 0; $i -lt 600 -and -not (Test-Path "$folder.begun"); $i++) { Start-Sleep -Milliseconds 50 }
        "$folder.begun" | Should -Exist
        $shell.Stop()
        $shell.Dispose()
        (Get-ChildItem $folder -Force).Name | Should -Be flows.log
        Get-Content $path -Raw | Should -Be $before
    }

    It 'does not touch a file of another owner: LogForeignOwner' {
        if ((id -u) -ne '0') { Set-ItResult -Skipped -Because 'only root can make a file of another owner' }
        Set-Content $path theirs
        chown 65534 $path
        Assert-Fault { $flows | Export-ConntrackLog $path } LogForeignOwner SecurityError
        Get-Content $path | Should -Be theirs
    }

    It 'says that a folder may not be written to: ConntrackPermissionDenied' {
        $log = Join-Path $folder input.log
        Copy-Item (Get-Fixture v1.log) $log
        $null = chmod -R a+rX $TestDrive
        $null = chmod 555 $folder
        $other = Invoke-OtherPowerShell -Unprivileged "try { Import-ConntrackLog '$log' | Export-ConntrackLog '$folder/out.log' } catch { `$_.FullyQualifiedErrorId; `"`$(`$_.CategoryInfo.Category)`" }"
        $null = chmod 755 $folder
        $other.Output | Should -Match '^ConntrackPermissionDenied,\S+\s+PermissionDenied'
    }

    It 'says that the disk is full: LogNoSpace' {
        if ((id -u) -ne '0') { Set-ItResult -Skipped -Because 'needs root: a small file system is mounted' }
        $null = Invoke-Program unshare -m true
        $other = Invoke-Program unshare -m sh -c 'mount -t tmpfs -o size=4k none "$1" && NO_COLOR=1 pwsh -NoProfile -c "$2"' sh $folder "
            Import-Module '$(Get-ModulePath)'; Set-Content '$path' old
            try { Start-ConntrackCapture -ReplayPath '$(Get-Fixture office.ctrec)' | Get-ConntrackFlow | Export-ConntrackLog '$path' -Format Json } catch { `$_.FullyQualifiedErrorId }
            Get-Content '$path'; (Get-ChildItem '$folder' -Force).Count"
        $other | Should -Be 'LogNoSpace,Conntracker.PowerShell.Commands.ExportConntrackLogCommand', 'old', '1'
    }

    It 'refuses a format that there is not, and completes those that there are' {
        { $flows | Export-ConntrackLog $path -Format Xml } | Should -Throw -ErrorId 'CannotConvertArgument*'
        { $flows | Export-ConntrackLog '' } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
        Get-Completion 'Export-ConntrackLog -Format ' | Sort-Object | Should -Be Csv, Json, JsonLines, Text, Tree
        Get-Completion 'Export-ConntrackLog -FoldInternet ' | Sort-Object | Should -Be Both, In, None, Out
    }

    Context 'as a tree' {
        BeforeAll {
            function Get-Tree($Path) { Get-ChildItem $Path -Recurse -File -Force | ForEach-Object { [IO.Path]::GetRelativePath($Path, $_.FullName) } | Sort-Object }
        }

        BeforeEach {
            $path = Join-Path $folder rules
            Set-Content "$folder/mixed.csv" (@'
Direction,Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort,IcmpType,IcmpCode
Out,Tcp,IPv4,192.168.200.230,50001,8.8.8.8,443,,
Out,Tcp,IPv4,192.168.200.230,50002,9.9.9.9,443,,
In,Tcp,IPv6,2a00::1,50003,2001:db8::1,22,,
In,Icmp,IPv4,8.8.8.8,,9.9.9.9,,8,0
Forward,Udp,IPv4,192.168.200.214,5353,224.0.0.251,5353,,
'@)
            $mixed = Import-ConntrackLog "$folder/mixed.csv"
        }

        It 'writes an empty file for each entry, and once' {
            $mixed | Export-ConntrackLog $path -Format Tree | Should -BeNullOrEmpty
            Get-Tree $path | Should -Be (
                'else/udp/192.168.200.214-5353-224.0.0.251-5353', 'in/icmp/INTERNET-8-9.9.9.9-0', 'in/tcp/INTERNET-PORT-2001:db8::1-22', 'out/tcp/192.168.200.230-PORT-INTERNET-443')
            (Get-ChildItem $path -Recurse -File | Measure-Object Length -Sum).Sum | Should -Be 0
            Set-Content "$path/in/icmp/INTERNET-8-9.9.9.9-0" 'a note'
            $mixed | Export-ConntrackLog $path -Format Tree
            (Get-Tree $path).Count | Should -Be 4
            Get-Content "$path/in/icmp/INTERNET-8-9.9.9.9-0" | Should -Be 'a note'
        }

        It 'writes flows of a capture, reads them back, and writes the same tree of them' {
            Start-Office tree | Get-ConntrackFlow | Export-ConntrackLog $path -Format Tree
            $read = @(Import-ConntrackLog $path -ErrorAction Stop)
            $read.Count | Should -Be (Get-Tree $path).Count
            $read.Count | Should -BeGreaterThan 10
            $read | Export-ConntrackLog "$path.again" -Format Tree
            Get-Tree "$path.again" | Should -Be (Get-Tree $path)
        }

        It '-FoldInternet <Value> folds those and no others' -ForEach @(
            @{ Value = 'None'; Names = 'in/tcp/2a00::1-PORT-2001:db8::1-22', 'out/tcp/192.168.200.230-PORT-8.8.8.8-443', 'out/tcp/192.168.200.230-PORT-9.9.9.9-443' }
            @{ Value = 'In'; Names = 'in/tcp/INTERNET-PORT-2001:db8::1-22', 'out/tcp/192.168.200.230-PORT-8.8.8.8-443', 'out/tcp/192.168.200.230-PORT-9.9.9.9-443' }
            @{ Value = 'Out'; Names = 'in/tcp/2a00::1-PORT-2001:db8::1-22', 'out/tcp/192.168.200.230-PORT-INTERNET-443' }
            @{ Value = 'Both'; Names = 'in/tcp/INTERNET-PORT-2001:db8::1-22', 'out/tcp/192.168.200.230-PORT-INTERNET-443' }) {
            $mixed | Where-Object Protocol -eq Tcp | Export-ConntrackLog $path -Format Tree -FoldInternet $Value
            Get-Tree $path | Should -Be $Names
        }

        It '-SkipElse leaves out what neither comes in nor goes out' {
            $mixed | Export-ConntrackLog $path -Format Tree -SkipElse
            (Get-ChildItem $path).Name | Sort-Object | Should -Be in, out
        }

        It '-MaximumFlows is kept, with a warning that counts what was folded' {
            $flows = 1..300 | ForEach-Object { "Forward,Tcp,IPv4,10.0.0.$($_ % 250),$_,10.0.1.1,80" }
            Set-Content "$folder/many.csv" (@('Direction,Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort') + $flows)
            Import-ConntrackLog "$folder/many.csv" | Export-ConntrackLog $path -Format Tree -MaximumFlows 100 -WarningVariable warnings -WarningAction SilentlyContinue
            $names = @(Get-Tree $path)
            $names.Count | Should -BeLessOrEqual 100
            $names | Should -Contain 'else/tcp/10.0.0.0_24-PORT-10.0.1.0_24-80'
            "$warnings" | Should -Match '-MaximumFlows.*\d+ were folded'
            { $mixed | Export-ConntrackLog $path -Format Tree -MaximumFlows 0 } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
        }

        It 'refuses -<Name> without -Format Tree, and leaves what is there' -ForEach @(
            @{ Name = 'SkipElse'; With = @{ SkipElse = $true } }, @{ Name = 'FoldInternet'; With = @{ FoldInternet = 'In' } }, @{ Name = 'MaximumFlows'; With = @{ MaximumFlows = 5 } }) {
            Set-Content "$folder/old" old
            Assert-Fault { $mixed | Export-ConntrackLog "$folder/old" @With } ConntrackArgumentInvalid InvalidArgument
            Assert-Fault { $mixed | Export-ConntrackLog "$folder/old" -Format Json @With } ConntrackArgumentInvalid InvalidArgument
            Get-Content "$folder/old" | Should -Be old
        }

        It '-PassThru emits the folder, -WhatIf makes none, -NoClobber adds to none that holds anything' {
            $mixed | Export-ConntrackLog $path -Format Tree -WhatIf
            Test-Path $path | Should -BeFalse
            $made = $mixed | Export-ConntrackLog $path -Format Tree -NoClobber -PassThru
            $made | Should -BeOfType System.IO.DirectoryInfo
            $made.FullName | Should -Be $path
            Assert-Fault { $mixed | Export-ConntrackLog $path -Format Tree -NoClobber } LogExists ResourceExists
        }

        It 'follows no link: LogTargetIsLink; and writes into no file: LogTargetNotFolder' {
            $null = New-Item -ItemType Directory "$folder/real"
            $null = New-Item -ItemType SymbolicLink $path -Target "$folder/real"
            Assert-Fault { $mixed | Export-ConntrackLog $path -Format Tree } LogTargetIsLink SecurityError
            Get-ChildItem "$folder/real" | Should -BeNullOrEmpty
            Assert-Fault { $mixed | Export-ConntrackLog "$folder/mixed.csv" -Format Tree } LogTargetNotFolder InvalidArgument
            Assert-Fault { $mixed | Export-ConntrackLog "$folder/none/tree" -Format Tree } LogFolderNotFound ObjectNotFound
        }

        It 'says that there are no more inodes, and what was made stays: LogNoSpace' {
            if ((id -u) -ne '0') { Set-ItResult -Skipped -Because 'needs root: a small file system is mounted' }
            $other = Invoke-Program unshare -m sh -c 'mount -t tmpfs -o nr_inodes=6 none "$1" && NO_COLOR=1 pwsh -NoProfile -c "$2"' sh $folder "
                Import-Module '$(Get-ModulePath)'
                try { Start-ConntrackCapture -ReplayPath '$(Get-Fixture office.ctrec)' | Get-ConntrackFlow | Export-ConntrackLog '$path' -Format Tree } catch { `$_.FullyQualifiedErrorId; `"`$_`" }
                @(Get-ChildItem '$path' -Recurse -File).Count"
            $other[0] | Should -Be 'LogNoSpace,Conntracker.PowerShell.Commands.ExportConntrackLogCommand'
            $other[1] | Should -Match 'inode'
            [int] $other[2] | Should -BeGreaterThan 0
        }
    }
}
