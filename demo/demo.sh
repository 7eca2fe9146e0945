#!/usr/bin/env bash
# The demonstration: a client, a firewall and a server in network namespaces; the capture runs on the firewall, real traffic passes it,
# and the log is printed, then what the PowerShell module makes of the same flows (flows.ps1). Called by './build.sh demo'. Everything that
# it makes is gone at the end, also when it is interrupted.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || { echo "The demo makes network namespaces: run it as root (sudo ./build.sh demo)." >&2; exit 1; }
for tool in ip nft ping nc; do
  command -v "$tool" >/dev/null || { echo "The demo needs '$tool': ./build.sh deps installs it." >&2; exit 1; }
done

client=ct-demo-client-$$ firewall=ct-demo-firewall-$$ server=ct-demo-server-$$
work=$(mktemp -d)
children=()

clean_up() {
  trap - EXIT INT TERM
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for namespace in "$client" "$firewall" "$server"; do ip netns delete "$namespace" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

on() { ip netns exec "$@"; }
quietly() { "$@" >/dev/null 2>&1 || true; }

# Addresses of the documentation ranges: client 192.0.2.2, firewall .1 on both sides, server 198.51.100.2.
network() {
  for namespace in "$client" "$firewall" "$server"; do
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
  done
  ip -n "$client" link add up0 type veth peer name down0 netns "$firewall"
  ip -n "$firewall" link add up0 type veth peer name down0 netns "$server"
  address "$client" up0 192.0.2.2/24 2001:db8:1::2/64
  address "$firewall" down0 192.0.2.1/24 2001:db8:1::1/64
  address "$firewall" up0 198.51.100.1/24 2001:db8:2::1/64
  address "$server" down0 198.51.100.2/24 2001:db8:2::2/64
  ip -n "$client" route add default via 192.0.2.1
  ip -n "$client" -6 route add default via 2001:db8:1::1
  ip -n "$server" route add default via 198.51.100.1
  ip -n "$server" -6 route add default via 2001:db8:2::1
  on "$firewall" sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  on "$firewall" nft -f - <<'EOF'
table inet firewall {
  chain prerouting {
    type nat hook prerouting priority dstnat
    tcp dport 8080 dnat ip to 198.51.100.2:80
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "up0" ip saddr 192.0.2.0/24 masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport vmap { 80 : accept, 22 : jump ssh }
    udp dport 53 accept comment "name server"
  }
  chain ssh {
    ip saddr 192.0.2.0/24 reject with tcp reset comment "no ssh from the clients"
  }
}
EOF
}

address() {
  ip -n "$1" address add "$3" dev "$2"
  ip -n "$1" address add "$4" dev "$2" nodad
  ip -n "$1" link set "$2" up
}

# Starts a program in a namespace, in the background; its own number is noted, so that it can be ended.
start() {
  # Without a redirection the shell would give a background program no input.
  ip netns exec "$@" <&0 & children+=($!)
}

serve() {
  start "$server" nc -4 -lk 198.51.100.2 80 </dev/null >/dev/null
  start "$server" nc -6 -lk 2001:db8:2::2 80 </dev/null >/dev/null
  start "$firewall" nc -4 -lk 192.0.2.1 22 </dev/null >/dev/null
  # A UDP server that answers and stays: its input is a pipe that holds one line and has no end.
  for family in 4 6; do
    mkfifo "$work/answer$family"
    exec {pipe}<>"$work/answer$family"
    echo answer >&"$pipe"
    start "$server" nc -"$family" -u -l 53 <&"$pipe" >/dev/null
  done
}

traffic() {
  quietly on "$client" ping -c 2 -i 0.2 -W 1 198.51.100.2
  quietly on "$client" ping -c 2 -i 0.2 -W 1 2001:db8:2::2
  for _ in 1 2 3; do quietly on "$client" nc -N -w 2 198.51.100.2 80 <<<"through the firewall, masqueraded"; done
  quietly on "$client" nc -N -w 2 2001:db8:2::2 80 <<<"through the firewall"
  quietly on "$client" nc -N -w 2 192.0.2.1 8080 <<<"to the firewall, passed on to the server"
  quietly on "$client" nc -N -w 2 192.0.2.1 22 <<<"to the firewall itself"
  quietly on "$firewall" nc -N -w 2 198.51.100.2 80 <<<"from the firewall itself"
  quietly on "$client" nc -u -w 1 198.51.100.2 53 <<<"question"
  quietly on "$client" nc -u -w 1 2001:db8:2::2 53 <<<"question"
  quietly on "$client" nc -u -w 1 198.51.100.2 123 <<<"dropped by the policy"
  quietly on "$client" nc -w 1 198.51.100.2 22 <<<"rejected by a rule"
  quietly on "$client" nc -w 1 2001:db8:2::2 22 <<<"dropped by the policy"
}

wait_for() {
  local tries
  for tries in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "The demo waited 10 seconds in vain for: $*" >&2
  exit 1
}

# Whether a pwsh runs the module: it needs PowerShell 7.6.
runs_module() { "$1" -NoProfile -NoLogo -Command 'exit [int] ($PSVersionTable.PSVersion -lt [version] "7.6")' >/dev/null 2>&1; }

# Finds a PowerShell: pwsh on PATH, PowerShell as a .NET tool, or its engine alone in a program of ours. Not every registry has the tool:
# it is tried once a day.
find_powershell() {
  local tool=$root/out/powershell refused=$root/out/powershell.refused
  if command -v pwsh >/dev/null && runs_module pwsh; then
    powershell=(pwsh -NoProfile -NoLogo -File)
    return
  fi
  if [ ! -x "$tool/pwsh" ] && [ -z "$(find "$refused" -mtime -1 2>/dev/null)" ]; then
    timeout 60 dotnet tool install PowerShell --version '[7.6,)' --tool-path "$tool" >"$refused" 2>&1 && rm -f "$refused"
  fi
  if [ -x "$tool/pwsh" ] && runs_module "$tool/pwsh"; then
    powershell=("$tool/pwsh" -NoProfile -NoLogo -File)
    return
  fi
  dotnet build "$root/tools/PowerShellHost" -c Release >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
  powershell=(dotnet "$root/out/artifacts/bin/Conntracker.PowerShellHost/release/Conntracker.PowerShellHost.dll" --width 120)
}

powershell_name() {
  case ${powershell[0]} in
    dotnet) echo "its engine alone: there is no pwsh 7.6 here" ;;
    pwsh) echo "pwsh" ;;
    *) echo "installed as a .NET tool in out/powershell" ;;
  esac
}

network
serve
find_powershell
on "$firewall" nft list ruleset >"$work/before"
echo "On the firewall: conntracker --netns $firewall -t -b -o flows.log --record flows.ctrec --stats"
"$root/out/conntracker" --netns "$firewall" -t -b -o "$work/flows.log" --record "$work/flows.ctrec" --stats & capture=$!
children+=("$capture")
wait_for on "$firewall" nft list chain inet conntracker prerouting
echo "Traffic: ping, TCP, UDP; IPv4 masqueraded, IPv6 routed, one port passed on (DNAT), to and from the firewall, dropped and rejected …"
traffic
kill -TERM "$capture"
wait "$capture"
on "$firewall" nft list ruleset >"$work/after"

echo
echo "The log (flows.log):"
cat "$work/flows.log"
echo
cmp -s "$work/before" "$work/after" && echo "The firewall's ruleset is what it was before: checked with nft list ruleset."

echo
echo "The same flows in PowerShell ($(powershell_name)):"
NO_COLOR=1 POWERSHELL_TELEMETRY_OPTOUT=1 "${powershell[@]}" "$root/demo/flows.ps1" "$root/out/module/Conntracker" "$work"
