#!/usr/bin/env bash
# Builds and runs the benchmark. Called by './build.sh bench [rounds [flows|trace|processes|packets|trial]]'; three rounds when none are given, a word for that part alone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "The bench makes a network namespace and raises nf_conntrack_max: run it as root (sudo ./build.sh bench)." >&2; exit 1; }
# As the program is made: native where it can be.
build() { dotnet publish "$root/bench" -c Release -o "$root/out/bench" "$@" >"$root/out/build-bench.log" 2>&1; }
if ! build -p:NativeProgram=true; then
  build || { cat "$root/out/build-bench.log" >&2; exit 1; }
  echo "bench.sh: measured on the .NET runtime, because no native program can be made here." >&2
fi
PATH=$PATH:/usr/sbin:/sbin exec "$root/out/bench/Conntracker.Bench" "${1:-3}" "$root/out/bench.json" "${2:-}"
