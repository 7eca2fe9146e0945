# The rules of a firewall, the flows that met them, and which of them nobody needs.
BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'The rules of a network namespace' -Tag Live {
    BeforeAll {
        if (Get-LiveObstacle) { return }
        $namespace = New-TestNamespace
        Set-TestRules $namespace
        $null = Invoke-Program ip netns exec $namespace nft add rule inet guard input tcp dport 23 drop

        # A packet that proves which rule is shadowed comes in by an interface.
        Invoke-Program ip -n $namespace link add eth0 type veth peer name far0
        Invoke-Program ip -n $namespace address add 192.0.2.10/24 dev eth0
        Invoke-Program ip -n $namespace link set eth0 up
        Invoke-Program ip -n $namespace link set far0 up
        $before = Get-UserRules $namespace
        $null = Start-ConntrackCapture -Name rules -NetworkNamespace $namespace -Trace Flows
        Send-Tcp $namespace
        Send-Syn $namespace 22
        Wait-Until 'the traced flows' { @(Get-ConntrackFlow rules -Protocol Tcp -DstPort 22, 8080 | Where-Object Trace).Count -eq 2 }
        Get-ConntrackCapture rules | Stop-ConntrackCapture
    }

    AfterAll {
        Get-ConntrackCapture | Remove-ConntrackCapture
        Remove-TestNamespace $namespace
    }

    It 'can be chosen, sorted, grouped and written like other objects' -Skip:$noLive {
        $rules = Get-FirewallRule -NetworkNamespace $namespace
        ($rules | Where-Object Type -eq Rule | Group-Object Chain | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Count)" }) | Should -Be 'input 2', 'output 2', 'services 2'
        (Get-FirewallRule -NetworkNamespace $namespace -Hook out* -Verdict accept).Text | Should -Be 'tcp dport 8080 accept', 'policy accept'
        ($rules | Where-Object Comment | ConvertTo-Csv | ConvertFrom-Csv).Text | Should -Be 'tcp dport 22 drop'
        { Get-FirewallRule -NetworkNamespace $namespace -Family ipx } | Should -Throw '*ipx*'
    }

    It 'lead to the flows that met them' -Skip:$noLive {
        $dropped = Get-FirewallRule services -NetworkNamespace $namespace -Verdict drop | Get-ConntrackFlow
        "$($dropped.DstPort) $($dropped.Verdict)" | Should -Be '22 Dropped'
        (Get-FirewallRule output -NetworkNamespace $namespace | Get-ConntrackFlow -Protocol Tcp).DstPort | Sort-Object | Should -Be 22, 8080
        Get-FirewallRule -NetworkNamespace $namespace -Verdict reject | Get-ConntrackFlow | Should -BeNullOrEmpty
    }

    It 'are still those of the flows when they come back from a file' -Skip:$noLive {
        Get-FirewallRule -NetworkNamespace $namespace -Comment 'no ssh' | Export-Clixml TestDrive:/rules.clixml
        $rule = Import-Clixml TestDrive:/rules.clixml
        "$($rule.Table) $($rule.Chain) $($rule.Position) $($rule.Verdict)" | Should -Be 'guard services 1 drop'
    }

    It 'show which of them were used, and which never' -Skip:$noLive {
        $usage = Get-FirewallRuleUsage rules -WarningVariable warnings -WarningAction SilentlyContinue
        ($usage | Where-Object { $_.Rule.Text -eq 'tcp dport 22 drop' }).Flows | Should -Be 1
        ($usage | Where-Object { $_.Rule.Text -eq 'tcp dport 8080 accept' }).LastHit | Should -BeGreaterThan ([DateTimeOffset]::Now.AddMinutes(-5))
        ($usage | Where-Object { $_.Findings.Kind -contains 'NeverHit' }).Rule.Text | Sort-Object | Should -Be 'tcp dport 23 drop', 'tcp dport 23 reject with tcp reset', 'tcp dport 24 reject with tcp reset'
        "$warnings" | Should -Match 'Shadowed rules are not shown'
        (Get-ConntrackFlow rules | Get-FirewallRuleUsage -FirewallRule $usage.Rule -WarningAction SilentlyContinue).Flows | Should -Be $usage.Flows
    }

    It 'are tried, which proves that one is shadowed, and stay as they are' -Skip:$noLive {
        $shadowed = Get-FirewallRuleUsage rules -Trial -Finding Shadowed -WarningVariable warnings -WarningAction SilentlyContinue
        "$($shadowed.Rule): $($shadowed.Findings)" | Should -Be 'inet guard input rule 2: tcp dport 23 drop: never hit shadowed by rule 1' -Because "$warnings"
        Get-UserRules $namespace | Should -Be $before
    }
}

Describe 'The rules of a file' -Tag Live {
    It 'have their line, and can be compared with those of another file' -Skip:$noLive {
        Set-Content TestDrive:/old.nft "table inet filter {`n  chain input {`n    type filter hook input priority filter; policy drop;`n    tcp dport 22 accept`n    tcp dport 80 accept`n  }`n}"
        Set-Content TestDrive:/new.nft ((Get-Content TestDrive:/old.nft -Raw) -replace 'tcp dport 80', 'tcp dport 443')
        $old, $new = 'old', 'new' | ForEach-Object { , (Get-FirewallRule -Path "TestDrive:/$_.nft" -WarningAction SilentlyContinue) }
        $old.Line | Should -Be 4, 5, $null -Because 'the policy has none'
        $new[1].File | Should -Be (Get-Item TestDrive:/new.nft).FullName
        (Compare-Object $old $new -Property Text | ForEach-Object { "$($_.SideIndicator) $($_.Text)" } | Sort-Object) | Should -Be '<= tcp dport 80 accept', '=> tcp dport 443 accept'
        Assert-Fault { Get-FirewallRule -Path TestDrive:/none.nft } RulesetNotFound ObjectNotFound
    }
}
