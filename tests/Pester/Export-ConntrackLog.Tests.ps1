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
        $shell = [powershell]::Create().AddScript("Import-Module '$(Get-ModulePath)'; & { Import-ConntrackLog '$path'; Start-Sleep 30 } | Export-ConntrackLog '$path'")
        $null = $shell.BeginInvoke()
        for ($i = 0; $i -lt 100 -and @(Get-ChildItem $folder -Force).Count -lt 2; $i++) { Start-Sleep -Milliseconds 50 }
        @(Get-ChildItem $folder -Force).Count | Should -Be 2
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
        Get-Completion 'Export-ConntrackLog -Format ' | Sort-Object | Should -Be Csv, Json, JsonLines, Text
    }
}
