# A firewall is tested like a program: what a user's own Pester tests look like.
BeforeDiscovery {
    Import-Module "$PSScriptRoot/Support.psm1"
    $noLive = [bool](Get-LiveObstacle)
}

BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1"
    Import-BuiltModule
}

Describe 'A unit test of a firewall' -Tag Live {
    BeforeAll {
        if (Get-LiveObstacle) { return }
        $namespace = New-TestNamespace
        Set-TestRules $namespace
        Set-Content TestDrive:/fw.nft @'
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lo" accept
    tcp dport { 80, 443 } accept
    udp dport 53 reject
  }
}
'@
        $web = @{ SrcAddress = '203.0.113.9'; DstAddress = '192.0.2.1'; InInterface = 'eth0' }
        $server = [pscustomobject] @{
            Name       = 'server'
            Interfaces = @(@{ Name = 'lo'; Index = 1; Kind = 'loopback'; LinkType = 772; Addresses = @('127.0.0.1/8') }, @{ Name = 'eth0'; Index = 2; Addresses = @('192.0.2.1/24') })
            Routes     = @(@{ Destination = '0.0.0.0/0'; Gateway = '192.0.2.254'; Interface = 'eth0' })
        }
    }

    AfterAll { Remove-TestNamespace $namespace }

    It 'says what a service may be reached from: port <_.Port>' -Skip:$noLive -ForEach @{ Port = 80; Verdict = 'Accepted' }, @{ Port = 443; Verdict = 'Accepted' }, @{ Port = 22; Verdict = 'Dropped' } {
        (New-ConntrackFlow -Protocol Tcp -DstPort $Port @web | Test-FirewallPolicy TestDrive:/fw.nft -Host $server).Verdict | Should -Be $Verdict
    }

    It 'shows the rules of request and answer in a list' -Skip:$noLive {
        $list = New-ConntrackFlow -Protocol Tcp -DstPort 80 @web | Test-FirewallPolicy TestDrive:/fw.nft -Host $server | Format-List | Out-String -Width 200
        $list | Should -Match '(?m)^Verdict +: Accepted$'
        $list | Should -Match '(?m)^Rule +: inet filter input rule 3: tcp dport \{ 80, 443 \} accept \(.*/fw\.nft, line 6\)$'
        $list | Should -Match '(?m)^Path +: inet filter input #3'
        $list | Should -Match '(?m)^ReplyVerdict +: Accepted$'
        $list | Should -Not -Match 'OldRule|DependsOn|Reason'
    }

    It 'finds every open port, one by one, and ends with the pipeline' -Skip:$noLive {
        $open = New-ConntrackFlow -Protocol Tcp -DstPort 1-1024 @web | Test-FirewallPolicy TestDrive:/fw.nft -Host $server | Where-Object Verdict -eq Accepted
        $open.Flow.DstPort | Should -Be 80, 443
        $open.Rule.Text | Select-Object -Unique | Should -Be 'tcp dport { 80, 443 } accept'
        @(New-ConntrackFlow -Protocol Tcp -DstPort 0-65535 -SrcPort 0-65535 @web | Test-FirewallPolicy TestDrive:/fw.nft -Host $server | Select-Object -First 3).Count | Should -Be 3
    }

    It 'compares with the rules that are loaded in a network namespace, which stay as they are' -Skip:$noLive {
        $before = Get-UserRules $namespace
        $local = New-ConntrackFlow -Protocol Tcp -SrcAddress 127.0.0.1 -DstAddress 127.0.0.1 -DstPort 22, 8080
        $changed = $local | Test-FirewallPolicy TestDrive:/fw.nft -CompareCurrent -NetworkNamespace $namespace -Changed
        "$($changed.Flow.DstPort) $($changed.OldVerdict) $($changed.Verdict)" | Should -Be '22 Dropped Accepted'
        ($local | Test-FirewallPolicy -Current -NetworkNamespace $namespace).Verdict | Should -Be Dropped, Accepted
        Get-UserRules $namespace | Should -Be $before
    }

    It 'tests a ruleset for a host that Export-Clixml wrote' -Skip:$noLive {
        Get-FirewallHost -NetworkNamespace $namespace | Export-Clixml TestDrive:/host.clixml
        $path = (Get-Item TestDrive:/host.clixml).FullName
        $flow = New-ConntrackFlow -Protocol Tcp -SrcAddress 127.0.0.1 -DstAddress 127.0.0.1 -DstPort 22
        ($flow | Test-FirewallPolicy TestDrive:/fw.nft -HostPath $path).Verdict | Should -Be Accepted
        ($flow | Test-FirewallPolicy TestDrive:/fw.nft -Host (Import-Clixml $path)).Rule.Text | Should -Be 'iifname "lo" accept'
    }

    It 'stops at once when the user says so' -Skip:$noLive {
        $shell = [powershell]::Create().AddScript(@"
            Import-Module '$(Get-ModulePath)'
            New-ConntrackFlow -Protocol Tcp -SrcAddress 127.0.0.1 -DstAddress 127.0.0.1 -DstPort 0-65535 -SrcPort 0-65535 |
                Test-FirewallPolicy '$((Get-Item TestDrive:/fw.nft).FullName)' -NetworkNamespace $namespace
"@)
        try {
            $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
            $nothing = [System.Management.Automation.PSDataCollection[psobject]]::new()
            $nothing.Complete()
            $run = $shell.BeginInvoke($nothing, $output)
            Wait-Until 'the first results' { $output.Count -gt 0 } -Seconds 30
            $shell.Stop()
            $run.IsCompleted | Should -BeTrue
        }
        finally {
            $shell.Dispose()
        }
    }
}
