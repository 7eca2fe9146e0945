BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
    $noLive = [bool](Get-LiveObstacle)
    $cmdlets = (Get-Command -Module Conntracker).Name | ForEach-Object { @{ Cmdlet = $_ } }
    $examples = foreach ($page in Get-ChildItem (Get-PagesPath) -Filter *-*.md) {
        foreach ($match in [regex]::Matches((Get-Content $page -Raw), '(?m)^### (Example \d+: .+)\n```powershell\n([\s\S]+?)\n```')) {
            @{ Page = $page.BaseName; Title = $match.Groups[1].Value; Code = $match.Groups[2].Value }
        }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
    $common = [System.Management.Automation.Cmdlet]::CommonParameters

    # The table below '### -Name' of a page, as a hashtable.
    function Get-PageFacts([string] $Page, [string] $Parameter) {
        $text = Get-Content (Join-Path (Get-PagesPath) "$Page.md") -Raw
        $section = [regex]::Match($text, "(?ms)^### -$Parameter\n(.*?)(?=^##)").Groups[1].Value
        $facts = @{}
        foreach ($match in [regex]::Matches($section, '(?m)^\| (.+?) \| (.+?) \|$')) { $facts[$match.Groups[1].Value] = $match.Groups[2].Value -replace '`' }
        $facts
    }

    # The first cells of the table that stands below a heading of the about page.
    function Get-AboutNames([string] $Heading) {
        $text = Get-Content (Join-Path (Get-PagesPath) 'about_Conntracker.md') -Raw
        $section = [regex]::Match($text, "(?ms)^## $Heading\n(.*?)(?=^## )").Groups[1].Value
        [regex]::Matches($section, '(?m)^\| `(\w+)` \|').ForEach({ $_.Groups[1].Value })
    }
}

Describe 'Get-Help <Cmdlet>' -ForEach $cmdlets {
    BeforeAll {
        $help = Get-Help $Cmdlet -Full
        $command = Get-Command $Cmdlet
        $parameters = $command.Parameters.Values | Where-Object Name -notin $common
    }

    It 'has a synopsis, a description, inputs, outputs, notes and links' {
        $help.Synopsis | Should -Not -Match "^\s*$Cmdlet " -Because 'that is what PowerShell makes up when there is no help'
        $help.Synopsis.Trim() | Should -Not -BeNullOrEmpty
        "$($help.description.Text)" | Should -Not -BeNullOrEmpty
        "$($help.inputTypes.inputType.type.name)" | Should -Not -BeNullOrEmpty
        "$($help.returnValues.returnValue.type.name)" | Should -Not -BeNullOrEmpty
        "$($help.alertSet.alert.Text)" | Should -Not -BeNullOrEmpty
        "$($help.relatedLinks.navigationLink.linkText)" | Should -Match 'about_Conntracker'
    }

    It 'has three examples or more, each with code and what it shows' {
        @($help.examples.example).Count | Should -BeGreaterOrEqual 3
        foreach ($example in $help.examples.example) {
            $example.code | Should -Not -BeNullOrEmpty
            "$($example.remarks.Text)".Trim() | Should -Not -BeNullOrEmpty
        }

        (Get-Help $Cmdlet -Examples | Out-String) | Should -Match 'Example 1:'
    }

    It 'describes every parameter that there is, and none that there is not' {
        $help.parameters.parameter.name | Sort-Object | Should -Be ($parameters.Name | Sort-Object)
        foreach ($name in $parameters.Name) {
            "$((Get-Help $Cmdlet -Parameter $name).description.Text)" | Should -Not -BeNullOrEmpty -Because "-$name needs text"
        }
    }

    It 'says of every parameter what the code says: type, pipeline, wildcards, aliases, position' {
        foreach ($parameter in $parameters) {
            $facts = Get-PageFacts $Cmdlet $parameter.Name
            $own = $parameter.Attributes.Where({ $_ -is [Parameter] })
            $syntaxType = if ($parameter.SwitchParameter) { 'switch' } else { (($command | Get-Command -Syntax) -split '\s(?=\[*-)' | Select-String "-$($parameter.Name)\]? <(.+?)>" | Select-Object -First 1).Matches.Groups[1].Value }
            $facts['Type'] | Should -Be $syntaxType -Because "type of -$($parameter.Name)"
            $pipeline = @(if ($own.ValueFromPipeline -contains $true) { 'by value' }; if ($own.ValueFromPipelineByPropertyName -contains $true) { 'by property name' }) -join ', '
            $facts['Pipeline input'] | Should -Be ($pipeline ? $pipeline : 'no') -Because "pipeline input of -$($parameter.Name)"
            $wildcards = $parameter.Attributes.Where({ $_ -is [SupportsWildcards] }).Count -gt 0
            $facts['Wildcards'] | Should -Be ($wildcards ? 'yes' : 'no') -Because "wildcards of -$($parameter.Name)"
            $facts['Aliases'] | Should -Be ($parameter.Aliases.Count ? ($parameter.Aliases -join ', ') : 'none') -Because "aliases of -$($parameter.Name)"
            $position = ($own.Position | Measure-Object -Maximum).Maximum
            $facts['Position'] | Should -Be ($position -lt 0 ? 'named' : "$position") -Because "position of -$($parameter.Name)"
            $facts['Required'] | Should -Be ($own.Mandatory -contains $true ? 'yes' : 'no') -Because "whether -$($parameter.Name) is required"
        }
    }

    It 'shows the syntax that the command has' {
        $text = Get-Content (Join-Path (Get-PagesPath) "$Cmdlet.md") -Raw
        $section = [regex]::Match($text, '(?ms)^## Syntax\n(.*?)(?=^## )').Groups[1].Value
        $written = [regex]::Matches($section, '```powershell\n(.+?)\n```').ForEach({ $_.Groups[1].Value }) | Sort-Object
        $written | Should -Be @((Get-Command $Cmdlet -Syntax) -split "`r?`n" | Where-Object { $_.Trim() } | ForEach-Object Trim | Sort-Object)
    }

    It 'names the types that the command declares to emit' {
        foreach ($type in $command.OutputType.Type) { $help.returnValues.returnValue.type.name | Should -Contain $type.FullName }
    }
}

Describe 'Get-Help about_Conntracker' {
    It 'shows the concepts, in lines of 80 columns at most' {
        $text = Get-Help about_Conntracker | Out-String -Width 200
        foreach ($word in 'reply tuple', 'EventlessFlows', 'VerdictRule', 'folding', 'recordings', 'text log', 'packets as a source', 'CAP_NET_ADMIN', 'nf_conntrack_acct') { $text | Should -Match $word }
        ((Get-Content (Join-Path (Get-ModulePath) 'en-US/about_Conntracker.help.txt')) | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 80
    }

    It 'lists every property of <Type>, and none that there is not' -ForEach @(
        @{ Type = 'Conntracker.Flow'; Heading = 'Properties of a flow' }, @{ Type = 'Conntracker.Capture'; Heading = 'Properties of a capture' },
        @{ Type = 'Conntracker.TraceStep'; Heading = 'Properties of a step' }, @{ Type = 'Conntracker.FlowTrace'; Heading = 'Properties of a trace' },
        @{ Type = 'Conntracker.FlowTest'; Heading = 'Properties of a test' }) {
        $wanted = ([type] $Type).GetProperties().Name | Sort-Object
        Get-AboutNames $Heading | Sort-Object | Should -Be $wanted
    }
}

Describe 'The examples of the pages' -Tag Live {
    BeforeAll {
        # The examples that need not show anything here, and what is so after each: files, captures; or nothing, where only other hosts have what is asked for.
        $silent = @{
            'Export-ConntrackLog 5'      = { -not (Test-Path ./peers/else) -and (Get-ChildItem ./peers -Recurse -File) }
            'Import-ConntrackLog 2'      = { Import-Csv ./all.csv }
            'Remove-ConntrackCapture 1'  = { -not (Get-ConntrackCapture) }
            'Remove-ConntrackCapture 2'  = { -not (Get-ConntrackCapture) }
            'Remove-ConntrackCapture 3'  = { [bool] (Get-ConntrackCapture office) }
            'Get-ConntrackCapture 2'     = { -not (Get-ConntrackCapture) }
            'Get-ConntrackCapture 3'     = { -not (Get-ConntrackCapture) }
            'Get-ConntrackFlow 1'        = { -not (Get-ConntrackCapture) }
            'Start-ConntrackCapture 8'   = { (Get-ConntrackCapture mirror).Source -eq 'Packet' }
            'Stop-ConntrackCapture 2'    = { -not (Get-ConntrackCapture) }
            'Test-FirewallPolicy 4'      = { Test-Path ./fw.nft }
            'Get-FirewallRuleUsage 1'    = { Get-ConntrackCapture firewall | Get-FirewallRuleUsage | Where-Object Packets -gt 0 }
        }

        if (-not (Get-LiveObstacle)) {
            $namespace = New-TestNamespace
            "table inet guard {`n chain input {`n type filter hook input priority 0`n tcp dport 9999 drop`n }`n}`n" | ip netns exec $namespace nft -f -
            $folder = Join-Path $TestDrive examples
            $null = New-Item -ItemType Directory $folder
            Copy-Item (Get-Fixture office.ctrec) $folder
            Copy-Item (Get-Fixture firewall.ctrec) $folder
            Copy-Item (Get-Fixture office.pcap), (Get-Fixture office.pcapng) $folder
            Start-Office | Get-ConntrackFlow | Export-ConntrackLog "$folder/office.log"
            Copy-Item "$folder/office.log" "$folder/damaged.txt"
            Add-Content "$folder/damaged.txt" ' TCPv4 [ this is damaged'
            Copy-Item (Get-Fixture v1-flows.log) "$folder/monday.log"
            Get-ConntrackFlow -Name office | Export-ConntrackLog "$folder/flows.json" -Format Json
            Get-ConntrackFlow -Name office | Export-ConntrackLog "$folder/rules" -Format Tree
            Remove-ConntrackCapture *
            $rules = 'tcp dport 22 drop', 'tcp dport 80 accept'
            foreach ($name in 'fw', 'fw-new') {
                Set-Content "$folder/$name.nft" (@('table inet filter {', ' chain input {', '  type filter hook input priority filter; policy drop;', '  ct state established,related accept') + $rules + ' }', '}')
                $rules = , 'tcp dport 443 accept'
            }

            Set-Content "$folder/router.host" @'
{ "Name": "router",
  "Interfaces": [ { "Name": "lo", "Index": 1, "Kind": "loopback", "LinkType": 772, "Addresses": ["127.0.0.1/8"] }, { "Name": "eth0", "Index": 2, "Addresses": ["192.0.2.1/24"] } ],
  "Routes": [ { "Destination": "0.0.0.0/0", "Gateway": "192.0.2.254", "Interface": "eth0" } ] }
'@
        }
    }

    AfterAll { Remove-TestNamespace $namespace }

    AfterEach {
        Remove-ConntrackCapture *
        if ($folder) { Remove-Item "$folder/monday.ctrec", "$folder/office-1.csv" -ErrorAction Ignore }
    }

    It 'runs as written: <Page>, <Title>' -Skip:$noLive -ForEach $examples {
        # Only the namespace and the waiting are the test's own. For how long something is traced nobody waits. Loaded rules are those of the namespace.
        $code = $Code -replace '\bGet-FirewallRule\b(?! -Path)', "Get-FirewallRule -NetworkNamespace $namespace" -replace '\bblue\b(?=\s|$)', $namespace -replace '(?<!Enable-FlowTrace[^|\n]*)(-Duration|-Timeout) \d+s', '$1 300ms' -replace 'Start-Sleep -Seconds \d+', 'Start-Sleep -Milliseconds 300'
        Push-Location $folder
        try {
            $ErrorActionPreference = 'Stop'
            $shown = @(& ([scriptblock]::Create($code)) *>&1)
            $key = "$Page $([regex]::Match($Title, '\d+').Value)"
            if ($silent.ContainsKey($key)) { [bool] (& $silent[$key]) | Should -BeTrue -Because "that is what $key is for" }
            else { $shown | Should -Not -BeNullOrEmpty -Because 'the example shows something' }
        }
        finally {
            Pop-Location
        }
    }
}

Describe 'The builder of the help' {
    BeforeAll {
        $builder = Join-Path (Split-Path (Split-Path (Get-PagesPath))) 'out/artifacts/bin/Conntracker.HelpBuilder/release/Conntracker.HelpBuilder.dll'
        $pages = Join-Path $TestDrive pages
    }

    It 'refuses <What>, and says where' -ForEach @(
        @{ What = 'a page without notes'; From = '(?ms)^## Notes.*?(?=^## )'; To = ''; Says = "Get-ConntrackCapture\.md:\d+: here stands '## Examples' where '## Notes' is wanted" }
        @{ What = 'a page that ends early'; From = '(?ms)^## Related links.*'; To = ''; Says = "Get-ConntrackCapture\.md: the section '## Related links' is missing" }
        @{ What = 'a parameter without a description'; From = '(?ms)^### -Name.*?(?=^## )'; To = "### -Other`nText.`n`n| A | B |`n|---|---|`n| Type | x |`n| Required | no |`n| Position | 0 |`n| Default | x |`n| Pipeline input | no |`n| Wildcards | no |`n| Aliases | none |`n`n"; Says = '-Name stands in the syntax and is not described' }
        @{ What = 'fewer than three examples'; From = '(?ms)^### Example 3.*?(?=^## )'; To = ''; Says = 'there are 2, and 3 are the least' }) {
        if (-not (Test-Path $builder)) { Set-ItResult -Skipped -Because "the help builder is not built ($builder)" }
        $null = New-Item -ItemType Directory $pages -Force
        (Get-Content (Join-Path (Get-PagesPath) Get-ConntrackCapture.md) -Raw) -replace $From, $To | Set-Content "$pages/Get-ConntrackCapture.md"
        $said = dotnet $builder $pages "$TestDrive/out" 2>&1
        $LASTEXITCODE | Should -Be 1
        "$said" | Should -Match $Says
    }
}
