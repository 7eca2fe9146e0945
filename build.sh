#!/usr/bin/env bash
# Builds, tests and shows Conntracker. One word says what to do; './build.sh' alone lists the words.
# Works from any current directory, any number of times, and offline once packages were restored.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$root/out
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1

usage() {
  cat <<'EOF'
usage: ./build.sh WORD
  deps     install the Debian packages that are missing, by name; touch nothing that is there
  build    out/conntracker (run it) and out/module/Conntracker/ (import it)
  test     unit, command line, live, module and Pester tests; what works on the kernel needs root, Pester tests need pwsh and Pester
  demo     a client, a firewall and a server in network namespaces, real traffic, and the log (needs root)
  bench    speed and memory beside their references (needs root); a table, and out/bench.json
  fuzz     mutated inputs through every decoder and reader, for ten minutes or as many as follow; 'fuzz replay FILE' runs one again
  clean    remove out/
EOF
}

say() { printf '%s\n' "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }

# Runs a command as root: as it is when we are, with sudo otherwise.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 1
  fi
}

# The packages that are missing, for the programs and libraries that are used: program or library, then Debian's package.
missing_packages() {
  local pair
  for pair in nft:nftables conntrack:conntrack ip:iproute2 ping:iputils-ping nc:netcat-openbsd iptables-legacy:iptables tcpdump:tcpdump python3:python3 gcc:gcc clang:clang llvm-strip:llvm bpftool:bpftool; do
    command -v "${pair%%:*}" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
  PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep 'libnftables\.so\.1 ' >/dev/null || echo libnftables1
  PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep 'libbpf\.so\.1 ' >/dev/null || echo libbpf1
  PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep 'libpcap\.so\.0\.8 ' >/dev/null || echo libpcap0.8
  [ -e /usr/include/bpf/bpf_helpers.h ] || echo libbpf-dev
  [ -e /usr/include/pcap/pcap.h ] || echo libpcap0.8-dev
  [ -e /usr/include/nftables/libnftables.h ] || echo libnftables-dev
  [ -e /usr/include/linux/netlink.h ] || echo linux-libc-dev
  [ -e /usr/include/stdlib.h ] || echo libc6-dev
}

has_sdk() { command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }

deps() {
  local packages
  packages=$(missing_packages | sort -u)
  if ! has_sdk && command -v apt-cache >/dev/null && apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then
    packages="$packages dotnet-sdk-10.0"
  fi
  if [ -n "${packages// /}" ]; then
    say "Installing:" $packages
    if ! command -v apt-get >/dev/null; then
      say "build.sh: there is no apt-get here; install these yourself:" $packages
    elif ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages \
          || { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; }; } >"$(log_file deps)" 2>&1; then
      say "build.sh: some packages could not be installed ($(log_file deps)); what needs them is skipped, and says so."
    fi
  fi
  has_sdk || die "the .NET SDK 10 is missing. Debian: follow https://learn.microsoft.com/dotnet/core/install/linux-debian and install dotnet-sdk-10.0; Ubuntu and Fedora: install the package dotnet-sdk-10.0."
}

log_file() { mkdir -p "$out"; echo "$out/$1.log"; }

# Runs dotnet quietly; shows all it said when it fails.
quietly() {
  local log
  log=$(log_file "$1"); shift
  "$@" >"$log" 2>&1 || { cat "$log" >&2; die "failed: $*"; }
}

# Compiles what runs in the kernel for -b and -ResolveProcess. It is embedded in the engine; where it cannot be made, a note of why is.
build_bpf() {
  local source=$root/src/Conntracker.Bpf made=$out/bpf fresh=$out/bpf.new missing="" include="" file
  rm -rf "$fresh" && mkdir -p "$fresh" "$made"
  command -v clang >/dev/null || missing="clang"
  [ -e /usr/include/bpf/bpf_helpers.h ] || missing="$missing libbpf-dev"
  if [ -n "$missing" ]; then
    printf '%s' "${missing# }" >"$fresh/missing.txt"
    say "build.sh: without the package(s) ${missing# } Conntracker is built without its eBPF programs: processes are looked up with INET_DIAG instead."
  else
    command -v gcc >/dev/null && include=-I/usr/include/$(gcc -print-multiarch)
    quietly build-bpf clang -O2 -g -Wall -Wextra -Werror -target bpf $include -c "$source/attribution.bpf.c" -o "$fresh/attribution.bpf.o"
    # The debugger's sections go, the types that libbpf needs stay.
    if command -v llvm-strip >/dev/null; then llvm-strip -g "$fresh/attribution.bpf.o"; fi
  fi
  # What has not changed keeps its time, so that the engine is not built again for it.
  for file in missing.txt attribution.bpf.o; do
    if [ ! -e "$fresh/$file" ]; then rm -f "$made/$file"
    elif ! cmp -s "$fresh/$file" "$made/$file"; then mv "$fresh/$file" "$made/$file"
    fi
  done
  rm -rf "$fresh"
}

# The program: native, one file that needs no .NET, where the compiler's package and a linker can be had; otherwise for the host's .NET runtime.
build_program() {
  local missing="" log
  log=$(log_file build-cli)
  command -v clang >/dev/null || command -v gcc >/dev/null || missing="a linker (the package clang or gcc)"
  rm -rf "$out/cli.new"
  if [ -z "$missing" ]; then
    if dotnet publish "$root/src/Conntracker.Cli" -c Release -p:NativeProgram=true -o "$out/cli.new" >"$log" 2>&1; then
      # Another name first: a program that runs can be replaced, but not written to.
      mv "$out/cli.new/conntracker" "$out/conntracker.new" && mv -fT "$out/conntracker.new" "$out/conntracker"
      rm -rf "$out/cli" && mv "$out/cli.new" "$out/cli"
      return
    fi
    # A mistake in the sources is one for both kinds, and is shown below.
    missing="what the log $log names"
  fi
  quietly build-cli-runtime dotnet publish "$root/src/Conntracker.Cli" -c Release -o "$out/cli.new"
  say "build.sh: without $missing the program cannot be made native: out/conntracker needs the .NET 10 runtime."
  rm -rf "$out/cli" && mv "$out/cli.new" "$out/cli"
  ln -sfn cli/conntracker "$out/conntracker"
}

build() {
  deps
  say "Building …"
  build_bpf
  build_program
  quietly build-module dotnet publish "$root/src/Conntracker.PowerShell" -c Release -o "$out/publish"
  rm -rf "$out/module.new" && mkdir -p "$out/module.new/Conntracker"
  cp "$root/Conntracker.psd1" "$root/src/Conntracker.PowerShell/"*.ps1xml "$root/LICENSE" \
     "$out/publish/Conntracker.Core.dll" "$out/publish/Conntracker.PowerShell.dll" "$out/publish/Tmds.LibC.dll" "$out/module.new/Conntracker/"
  # A test of a ruleset runs in a process of its own: the program. One that is not native needs more files than itself, and is found on PATH only.
  if [ ! -L "$out/conntracker" ]; then cp "$out/conntracker" "$out/module.new/Conntracker/"; fi
  quietly build-help dotnet run --project "$root/tools/HelpBuilder" -c Release -- "$root/docs/help" "$out/module.new/Conntracker/en-US"
  rm -rf "$out/module" && mv "$out/module.new" "$out/module"
  say "Built $out/conntracker and $out/module/Conntracker."
}

# A worker notes which input it runs. Only an input that ended the whole process (a stack overflow, a wrong pointer) leaves the note behind.
fuzz() {
  local status=0
  has_sdk || deps
  quietly build-fuzz dotnet build "$root/tests/Fuzz" -c Release
  rm -f "$out"/fuzz/running-*.txt
  dotnet "$out/artifacts/bin/Conntracker.Tests.Fuzz/release/Conntracker.Tests.Fuzz.dll" "$out/fuzz" "$@" || status=$?
  if [ "$status" -ge 128 ]; then
    say "The process was ended by a signal. One of these inputs did it; './build.sh fuzz replay HARNESS SEED NUMBER' makes it again:"
    cat "$out"/fuzz/running-*.txt >&2 || true
  fi
  exit "$status"
}

case "${1:-}" in
  deps) deps ;;
  build) build ;;
  test) build; exec "$root/tests/run.sh" ;;
  demo) build; exec "$root/demo/demo.sh" "${@:2}" ;;
  bench) build; exec "$root/bench/bench.sh" "${@:2}" ;;
  fuzz) fuzz "${@:2}" ;;
  clean) rm -rf "$out" ;;
  *) usage >&2; exit 2 ;;
esac
