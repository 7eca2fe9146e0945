@{
    RootModule           = 'Conntracker.PowerShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = 'fd24068d-1d31-4d7d-baba-84d125add96a'
    Author               = 'The Conntracker authors'
    Copyright            = '(c) 2026 The Conntracker authors. MIT licence.'
    Description          = 'Captures every flow that the Linux kernel''s connection tracking sees, or builds flows from packets, and emits typed objects: addresses and NAT, state, counters, direction.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('Conntracker.format.ps1xml')
    RequiredAssemblies   = @('Conntracker.Core.dll')
    TypesToProcess       = @('Conntracker.types.ps1xml')
    CmdletsToExport      = @(
        'Start-ConntrackCapture'
        'Stop-ConntrackCapture'
        'Get-ConntrackCapture'
        'Wait-ConntrackCapture'
        'Remove-ConntrackCapture'
        'Get-ConntrackFlow'
        'Watch-ConntrackFlow'
        'New-ConntrackFlow'
        'Test-FirewallPolicy'
        'Enable-FlowTrace'
        'Disable-FlowTrace'
        'Get-FlowTrace'
        'Get-FirewallRule'
        'Get-FirewallRuleUsage'
        'Format-ConntrackLog'
        'Export-ConntrackLog'
        'Import-ConntrackLog'
        'Get-FirewallHost'
        'New-FirewallPolicy'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('Linux', 'PSEdition_Core', 'Firewall', 'conntrack', 'nftables', 'iptables', 'Network', 'Security')
        }
    }
}
