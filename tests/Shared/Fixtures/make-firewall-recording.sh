#!/usr/bin/env bash
# Makes firewall.ctrec, the traced recording that the tests of the module replay: a client, a firewall with rules of every outcome and a
# server, one flow for each. Needs root and the built program; tests name its flows, rules and counts.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$folder/../../../out/conntracker
client=ctpr-c-$$ firewall=ctpr-f-$$ server=ctpr-s-$$
cleanup() {
  local pid
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  wait || true
  for name in "$client" "$firewall" "$server"; do ip netns del "$name" 2>/dev/null || true; done
}
trap cleanup EXIT
for name in "$client" "$firewall" "$server"; do
  ip netns add "$name"
  ip netns exec "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$name" link set lo up
done
ip -n "$client" link add c0 type veth peer name f0 netns "$firewall"
ip -n "$firewall" link add f1 type veth peer name s0 netns "$server"
address() { ip -n "$1" address add "$3" dev "$2"; ip -n "$1" link set "$2" up; }
address "$client" c0 10.1.0.2/24
address "$firewall" f0 10.1.0.1/24
address "$firewall" f1 198.51.100.1/24
address "$server" s0 198.51.100.2/24
ip -n "$client" route add default via 10.1.0.1
ip -n "$server" route add default via 198.51.100.1
ip netns exec "$firewall" sysctl -qw net.ipv4.ip_forward=1
ip netns exec "$firewall" nft -f - <<'NFT'
table inet firewall {
  chain services {
    tcp dport 80 accept comment "the site"
    tcp dport 22 drop comment "no ssh"
    udp dport 53 reject
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "f0" jump services
  }
  chain input {
    type filter hook input priority filter; policy accept;
    tcp dport 23 reject with tcp reset
  }
}
NFT
ip netns exec "$server" python3 -c '
import socket
l = socket.socket(); l.bind(("198.51.100.2", 80)); l.listen()
while True:
    c, _ = l.accept(); c.sendall(c.recv(4096)); c.close()' &
ip netns exec "$client" ping -q -c 1 198.51.100.2 >/dev/null || true
rm -f "$folder/firewall.ctrec"
"$program" -t --netns "$firewall" --record "$folder/firewall.ctrec" -o - >/dev/null &
capture=$!
sleep 2
ip netns exec "$client" python3 - <<'PY'
import socket
def tcp(source, port, target, target_port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.bind((source, port)); s.settimeout(0.5)
    try:
        s.connect((target, target_port)); s.sendall(b"x" * 100); s.recv(4096)
    except OSError:
        pass
    s.close()
def udp(source, port, target, target_port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((source, port)); s.sendto(b"query", (target, target_port)); s.close()
tcp("10.1.0.2", 40080, "198.51.100.2", 80)
tcp("10.1.0.2", 40022, "198.51.100.2", 22)
udp("10.1.0.2", 40053, "198.51.100.2", 53)
tcp("10.1.0.2", 40443, "198.51.100.2", 443)
tcp("10.1.0.2", 40023, "10.1.0.1", 23)
udp("10.1.0.2", 40514, "10.1.0.1", 514)
PY
sleep 1
kill -TERM "$capture" # a shell starts its background jobs with SIGINT ignored
wait "$capture"
ls -l "$folder/firewall.ctrec"
"$program" --replay "$folder/firewall.ctrec" --format csv -o -
