#!/usr/bin/env bash
# Runs every test that this machine can run. Each skipped test is listed with its reason; the last line counts them all.
# Called by './build.sh test'.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$root/out/test-results
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1
PATH=$PATH:/usr/sbin:/sbin
passed=0 failed=0 skipped=0
# Seconds for a suite, which takes about one minute: one that hangs is a failure, not an end of all.
limit=900
mkdir -p "$results"

# Adds the figures of a suite: passed, failed, skipped.
count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }

# A suite that could not even run counts as a failure.
broken() { echo "FAILED: $*"; count 0 1 0; }

# Runs an xunit project and reads its figures from the summary that it writes.
xunit() {
  local name=$1 project=$2 summary=$results/$1.xml
  echo "== $name tests"
  rm -f "$summary"
  timeout "$limit" dotnet run --project "$root/tests/$project" -c Release --no-build -- -noLogo -noColor -xml "$summary" >"$results/$name.log" 2>&1
  grep -vE '^\s*(Discovering|Discovered|Starting|Finished):' "$results/$name.log" | grep -v '\[SKIP\]' || true
  [ -s "$summary" ] || { broken "$name tests did not run; see $results/$name.log"; return; }
  sed 's/<test /\n<test /g' "$summary" | sed -n 's/.*<test [^>]*name="\([^"]*\)".*result="Skip".*<reason>\(<!\[CDATA\[\)\?\([^]<]*\).*/SKIPPED \1: \3/p'
  count $(attribute "$summary" passed) $(attribute "$summary" failed) $(attribute "$summary" skipped)
  count 0 "$(attribute "$summary" errors)" 0
}

# The sum of an attribute over the assemblies of a summary.
attribute() { grep -oE '<assembly [^>]*' "$1" | grep -oE " $2=\"[0-9]+\"" | tr -dc '0-9\n' | paste -sd+ | sed 's/^$/0/' | { read -r sum; echo $((sum)); }; }

pester() {
  echo "== Pester tests"
  if ! command -v pwsh >/dev/null; then
    echo "SKIPPED Pester tests: pwsh is not on PATH (PowerShell 7.6 or later)."
    count 0 0 1
    return
  fi
  if ! pwsh -NoProfile -NoLogo -Command 'exit [int](-not (Get-Module -ListAvailable Pester | Where-Object Version -ge "5.0"))'; then
    echo "SKIPPED Pester tests: Pester 5 or later is not in pwsh's module path."
    count 0 0 1
    return
  fi
  timeout "$limit" pwsh -NoProfile -NoLogo -File "$root/tests/Pester/run.ps1" 2>&1 | tee "$results/Pester.log"
  local figures
  figures=$(sed -nE 's/^Pester: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$results/Pester.log" | tail -n 1)
  if [ -n "$figures" ]; then count $figures; else broken "Pester did not come to its end; see $results/Pester.log"; fi
}

echo "Building the tests …"
dotnet build "$root/Conntracker.slnx" -c Release >"$results/build.log" 2>&1 || { cat "$results/build.log"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
xunit Unit Unit
xunit Cli Cli
xunit Live Live
xunit Module Module
pester
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
