# What the Pester tests share: the built module, fixtures, errors, network namespaces, and other PowerShells.
Set-StrictMode -Version Latest

$script:Root = Split-Path (Split-Path $PSScriptRoot)
$script:ModulePath = Join-Path $script:Root 'out/module/Conntracker'

function Get-ModulePath { $script:ModulePath }

function Get-PagesPath { Join-Path $script:Root 'docs/help' }

# Imports the module as a user does: from the folder that './build.sh build' makes.
function Import-BuiltModule {
    if (-not (Test-Path (Join-Path $script:ModulePath 'Conntracker.psd1'))) {
        throw "There is no module in $script:ModulePath. Run './build.sh build' first."
    }

    if (-not (Get-Module Conntracker)) {
        Import-Module $script:ModulePath -Global
    }
}

# A file of tests/Shared/Fixtures, or a log of the unit tests.
function Get-Fixture([string] $Name) {
    $here = Join-Path $script:Root 'tests/Shared/Fixtures' $Name
    $path = if (Test-Path $here) { $here } else { Join-Path $script:Root 'tests/Unit/Fixtures/logs' $Name }
    if (-not (Test-Path $path)) { throw "There is no fixture $Name." }
    $path
}

# A capture of the recording that stands for an office's firewall; Fixtures/make-recording.sh tells what is in it.
function Start-Office([string] $Name = 'office') {
    Start-ConntrackCapture -Name $Name -ReplayPath (Get-Fixture office.ctrec)
}

# A capture of a recording with traces, one flow for each outcome; Fixtures/make-firewall-recording.sh tells what is in it.
function Start-Firewall([string] $Name = 'firewall') {
    Start-ConntrackCapture -Name $Name -ReplayPath (Get-Fixture firewall.ctrec)
}

# Runs code that must fail, and checks the error as a script of a user's would: by its id and category.
function Assert-Fault([scriptblock] $Code, [string] $Id, [System.Management.Automation.ErrorCategory] $Category) {
    try { $null = & $Code } catch { $fault = $_ }
    if (-not (Get-Variable fault -ErrorAction Ignore)) { throw "The error $Id was expected, and there was none." }
    $got = '{0} ({1})' -f ($fault.FullyQualifiedErrorId -split ',')[0], $fault.CategoryInfo.Category
    if ($got -ne "$Id ($Category)") { throw "The error $Id ($Category) was expected, and there was ${got}: $fault" }
}

# All of a flow that a user can read, as text: equal text, equal flows.
function ConvertTo-FlowText($Flow) {
    $Flow | ForEach-Object {
        $flow = $_
        ($flow.PSObject.Properties | Sort-Object Name | ForEach-Object {
            $value = $_.Value
            $text = switch ($_.Name) {
                'Trace' { @($value | ForEach-Object { $_ | ConvertTo-Json -Compress }) -join ';' }
                'Process' { if ($null -ne $value) { $value | ConvertTo-Json -Compress } }
                { $value -is [DateTimeOffset] } { $value.ToString('O') }
                default { "$value" }
            }
            '{0}={1}' -f $_.Name, $text
        }) -join "`n"
    }
}

# Why live tests cannot run here; nothing when they can.
function Get-LiveObstacle {
    if ((id -u) -ne '0') { return 'needs root: network namespaces and CAP_NET_ADMIN' }
    foreach ($program in 'ip', 'nft', 'ping', 'python3') {
        if (-not (Get-Command $program -CommandType Application -ErrorAction Ignore)) { return "needs the program $program" }
    }
}

# A network namespace with a loopback that works. Remove-TestNamespace must follow.
function New-TestNamespace {
    $name = 'ctpr-{0}-{1}' -f $PID, (Get-Random -Maximum 1000000)
    Invoke-Program ip netns add $name
    Invoke-Program ip -n $name link set lo up
    $name
}

function Remove-TestNamespace([string] $Name) {
    if ($Name -and (Test-Path "/run/netns/$Name")) { Invoke-Program ip netns del $Name }
}

# Runs a program; what it says is the error when it fails.
function Invoke-Program {
    $program, $rest = $args
    $output = & $program @rest 2>&1
    if ($LASTEXITCODE -ne 0) { throw "$args failed with $LASTEXITCODE`: $output" }
    $output
}

function Get-NftTables([string] $Namespace) { @(Invoke-Program ip netns exec $Namespace nft list tables) -match 'conntracker' }

function Get-Accounting([string] $Namespace) { "$(Invoke-Program ip netns exec $Namespace cat /proc/sys/net/netfilter/nf_conntrack_acct)".Trim() }

# One TCP connection over the namespace's loopback: to a listener that echoes, then closed by the client.
function Send-Tcp([string] $Namespace, [int] $Port = 8080, [int] $Count = 1) {
    $code = @'
import socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(("127.0.0.1", port)); l.listen()
for _ in range(count):
    c = socket.create_connection(("127.0.0.1", port)); s, _ = l.accept(); c.sendall(b"x" * 1000); s.recv(2000); s.sendall(b"y" * 10); c.recv(100); c.close(); s.close()
'@
    $null = Invoke-Program ip netns exec $Namespace python3 -c $code $Port $Count
}

# Unanswered UDP from many ports.
function Send-Udp([string] $Namespace, [int] $FirstPort, [int] $Count, [int] $Port = 9) {
    $code = @'
import socket, sys
first, count, port = map(int, sys.argv[1:])
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sink.bind(("127.0.0.1", port))
for i in range(count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", first + i)); s.sendto(b"x", ("127.0.0.1", port)); s.close()
'@
    $null = Invoke-Program ip netns exec $Namespace python3 -c $code $FirstPort $Count $Port
}

function Send-Ping([string] $Namespace, [int] $Count = 1) { $null = Invoke-Program ip netns exec $Namespace ping -q -i 0.2 -c $Count 127.0.0.1 }

# Rules for what is sent over the namespace's loopback: port 22 is dropped, 23 and 24 rejected, the rest accepted. What is dropped is so where
# it leaves: connection tracking has confirmed what comes in that way.
function Set-TestRules([string] $Namespace) {
    $rules = @'
table inet guard {
  chain services {
    tcp dport 22 drop comment "no ssh"
    tcp dport 24 reject with tcp reset
  }
  chain input {
    type filter hook input priority filter; policy accept;
    tcp dport 23 reject with tcp reset
  }
  chain output {
    type filter hook output priority filter; policy accept;
    tcp dport 8080 accept
    jump services
  }
}
'@
    $null = Invoke-Program ip netns exec $Namespace nft $rules
}

# The user's rules: all but our own tables.
function Get-UserRules([string] $Namespace) {
    $text = (Invoke-Program ip netns exec $Namespace nft list ruleset) -join "`n"
    [regex]::Replace($text, '(?ms)^table inet conntracker\S* \{.*?^\}\n?', '').TrimEnd()
}

# The first packet of a TCP connection, from a port of its own; whether it is answered does not matter.
function Send-Syn([string] $Namespace, [int] $Port, [int] $SrcPort = 0) {
    $code = @'
import socket, sys
s = socket.socket(); s.settimeout(0.2); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[2])))
try: s.connect(("127.0.0.1", int(sys.argv[1])))
except OSError: pass
'@
    $null = Invoke-Program ip netns exec $Namespace python3 -c $code $Port $SrcPort
}

# A UDP socket that sends from one port to another over loopback whenever Invoke-Sender says so.
function New-Sender([string] $Namespace, [int] $SrcPort, [int] $Port) {
    $code = @'
import socket, sys
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sink.bind(("127.0.0.1", int(sys.argv[2])))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
for _ in sys.stdin:
    s.sendto(b"x", ("127.0.0.1", int(sys.argv[2]))); sink.recv(10); print("sent", flush=True)
'@
    $start = [System.Diagnostics.ProcessStartInfo]::new('ip', [string[]] @('netns', 'exec', $Namespace, 'python3', '-c', $code, "$SrcPort", "$Port"))
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    [System.Diagnostics.Process]::Start($start)
}

function Invoke-Sender($Sender, [int] $Count = 1) {
    for ($i = 0; $i -lt $Count; $i++) { $Sender.StandardInput.WriteLine(); $null = $Sender.StandardOutput.ReadLine() }
}

function Remove-Sender($Sender) {
    if ($Sender) { $Sender.StandardInput.Close(); $null = $Sender.WaitForExit(5000); $Sender.Dispose() }
}

# Waits until something is so; says what it was when it does not become so.
function Wait-Until([string] $What, [scriptblock] $Condition, [int] $Seconds = 10) {
    $end = [DateTime]::UtcNow.AddSeconds($Seconds)
    while (-not (& $Condition)) {
        if ([DateTime]::UtcNow -gt $end) { throw "Waited $Seconds s in vain for: $What" }
        Start-Sleep -Milliseconds 50
    }
}

# Runs code in another PowerShell that has the module; gives its exit code, its output, and the seconds it took.
function Invoke-OtherPowerShell([string] $Code, [switch] $Unprivileged, [int] $TimeoutSeconds = 60) {
    $start = [System.Diagnostics.ProcessStartInfo]::new()
    $command = @()
    if ($Unprivileged -and (id -u) -eq '0') {
        $command = 'setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'
    }

    $import = "`$ErrorActionPreference = 'Stop'; Import-Module '$script:ModulePath'; "
    $command += 'pwsh', '-NoProfile', '-NonInteractive', '-Command', ($import + $Code)
    $start.FileName = $command[0]
    $command | Select-Object -Skip 1 | ForEach-Object { $start.ArgumentList.Add($_) }
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.Environment['POWERSHELL_TELEMETRY_OPTOUT'] = '1'
    $start.Environment['NO_COLOR'] = '1'
    if ($Unprivileged) { $start.Environment['HOME'] = '/nonexistent'; $start.Environment['XDG_CACHE_HOME'] = '/nonexistent' }
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $process = [System.Diagnostics.Process]::Start($start)
    try {
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        if (-not $process.WaitForExit($TimeoutSeconds * 1000)) {
            $process.Kill()
            throw "The other PowerShell did not end within $TimeoutSeconds s."
        }

        [pscustomobject]@{ ExitCode = $process.ExitCode; Output = $output.Result.Trim(); Errors = $errors.Result.Trim(); Seconds = $watch.Elapsed.TotalSeconds }
    }
    finally {
        $process.Dispose()
    }
}

# What Tab offers at the end of a line.
function Get-Completion([string] $Line) {
    @([System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches | ForEach-Object CompletionText)
}

Export-ModuleMember -Function *
