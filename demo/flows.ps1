# What the module makes of the flows that the demonstration has captured: flows as objects, what was dropped and by which rule, the
# processes. It runs in any PowerShell, also in the engine alone, which lacks Group-Object, Sort-Object and Format-List.
param(
    [string] $Module,
    # The folder with flows.ctrec.
    [string] $Folder
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module $Module
$ExecutionContext.SessionState.Path.SetLocation($Folder) | Out-Null

# Prints a line as a user types it, and runs it; called with a dot, so that its variables stay.
function Show([string] $Line) {
    "PS> $Line" | Out-Host
    . ([scriptblock]::Create($Line)) | Out-Host
}

$hasGroups = [bool] (Get-Command Group-Object -ErrorAction Ignore)

. Show 'Start-ConntrackCapture demo -ReplayPath flows.ctrec'
. Show 'Get-ConntrackFlow -Protocol tcp -DstPort 22, 8080'

'Which rules dropped or rejected something, and how many flows?' | Out-Host
if ($hasGroups) {
    . Show 'Get-ConntrackFlow -Verdict Dropped, Rejected | Group-Object VerdictRule -NoElement | Sort-Object Count -Descending | Format-Table Count, Name -Wrap'
}
else {
    . Show '$rules = @{}; Get-ConntrackFlow -Verdict Dropped, Rejected | ForEach-Object { $rules[$_.VerdictRule]++ }'
    . Show '$rules.GetEnumerator() | ForEach-Object { "$($_.Value) $($_.Key)" }'
    '' | Out-Host
}

'Which rules did a rejected flow pass?' | Out-Host
. Show '(Get-ConntrackFlow -Verdict Rejected)[0].Trace | ForEach-Object { "$($_.Table) $($_.Chain) #$($_.Position): $($_.Rule ?? "policy $($_.Verdict)")" }'
'' | Out-Host

'Which program is behind a flow? Both ends run on this machine here, so both are known.' | Out-Host
. Show 'Get-ConntrackFlow -ProcessName nc -DstPort 22, 53 | ForEach-Object { "$_ by $($_.Process.UserName): $($_.Process.CommandLine)" }'
