# Runs the Pester tests. Each test that was skipped is listed with its reason; the last line counts them all.
# Parameters: -Name, a wildcard for the files to run; -NoLive, to leave out what needs root.
param([string] $Name = '*', [switch] $NoLive)
$ErrorActionPreference = 'Stop'
$env:POWERSHELL_TELEMETRY_OPTOUT = '1'
Import-Module Pester -MinimumVersion 5.0
Import-Module "$PSScriptRoot/Support.psm1"

$configuration = New-PesterConfiguration
$configuration.Run.Path = (Get-ChildItem $PSScriptRoot -Filter "$Name.Tests.ps1").FullName ?? $(throw "No file $Name.Tests.ps1 is in $PSScriptRoot.")
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
if ($NoLive) { $configuration.Filter.ExcludeTag = 'Live' }
$run = Invoke-Pester -Configuration $configuration

foreach ($test in $run.Failed) {
    "FAILED $($test.ExpandedPath)"
    $test.ErrorRecord | ForEach-Object { "    $($_.DisplayErrorMessage ?? $_)`n    $($_.DisplayStackTrace ?? $_.ScriptStackTrace)" }
}

# A file or block that could not even be run.
$broken = @($run.FailedBlocks) + @($run.FailedContainers)
foreach ($part in $broken) {
    "FAILED $($part.ExpandedPath ?? $part.Item)"
    $part.ErrorRecord | ForEach-Object { "    $_`n    $($_.ScriptStackTrace)" }
}

foreach ($test in $run.Skipped) {
    $said = "$(@($test.ErrorRecord)[0])" -replace '^is skipped(, because )?', ''
    $reason = if ($said) { $said } elseif ('Live' -in $test.Tag -or 'Live' -in $test.Block.Tag) { Get-LiveObstacle } else { 'no reason given' }

    # Pester fills the names of cases only when it runs them.
    $name = [regex]::Replace($test.ExpandedPath, '<(\w+)>', { param($match) $test.Data ? $test.Data[$match.Groups[1].Value] ?? $match.Value : $match.Value })
    "SKIPPED ${name}: $reason"
}

$failed = $run.FailedCount + $broken.Count
"Pester: $($run.PassedCount) passed, $failed failed, $($run.SkippedCount) skipped"
exit [int]($failed -gt 0)
