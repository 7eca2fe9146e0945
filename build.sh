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
  test     unit, live, module and Pester tests; what works on the kernel needs root, Pester tests need pwsh and Pester
  demo     a client, a firewall and a server in network namespaces, real traffic, and the log (needs root)
  bench    speed and memory beside their references (needs root); a table, and out/bench.json
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
  local source=$root/src/Conntracker.Bpf made=$out/bpf missing="" include=""
  rm -rf "$made" && mkdir -p "$made"
  command -v clang >/dev/null || missing="clang"
  [ -e /usr/include/bpf/bpf_helpers.h ] || missing="$missing libbpf-dev"
  if [ -n "$missing" ]; then
    printf '%s' "${missing# }" >"$made/missing.txt"
    say "build.sh: without the package(s) ${missing# } Conntracker is built without its eBPF programs: processes are looked up with INET_DIAG instead."
    return
  fi
  command -v gcc >/dev/null && include=-I/usr/include/$(gcc -print-multiarch)
  quietly build-bpf clang -O2 -g -Wall -Wextra -Werror -target bpf $include -c "$source/attribution.bpf.c" -o "$made/attribution.bpf.o"
  # The debugger's sections go, the types that libbpf needs stay.
  command -v llvm-strip >/dev/null && llvm-strip -g "$made/attribution.bpf.o"
  return 0
}

build() {
  deps
  say "Building …"
  build_bpf
  quietly build-cli dotnet publish "$root/src/Conntracker.Cli" -c Release -o "$out/cli"
  quietly build-module dotnet publish "$root/src/Conntracker.PowerShell" -c Release -o "$out/publish"
  ln -sfn cli/conntracker "$out/conntracker"
  rm -rf "$out/module.new" && mkdir -p "$out/module.new/Conntracker"
  cp "$root/Conntracker.psd1" "$root/src/Conntracker.PowerShell/"*.ps1xml "$root/LICENSE" \
     "$out/publish/Conntracker.Core.dll" "$out/publish/Conntracker.PowerShell.dll" "$out/publish/Tmds.LibC.dll" "$out/module.new/Conntracker/"
  quietly build-help dotnet run --project "$root/tools/HelpBuilder" -c Release -- "$root/docs/help" "$out/module.new/Conntracker/en-US"
  rm -rf "$out/module" && mv "$out/module.new" "$out/module"
  say "Built $out/conntracker and $out/module/Conntracker."
}

case "${1:-}" in
  deps) deps ;;
  build) build ;;
  test) build; exec "$root/tests/run.sh" ;;
  demo) build; exec "$root/demo/demo.sh" "${@:2}" ;;
  bench) build; exec "$root/bench/bench.sh" "${@:2}" ;;
  clean) rm -rf "$out" ;;
  *) usage >&2; exit 2 ;;
esac
