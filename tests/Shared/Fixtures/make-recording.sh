#!/usr/bin/env bash
# Makes office.ctrec, the recording that the tests of the module replay: a client, a firewall with NAT and a server, real traffic of every
# kind, and a few connections of rarer protocols entered with conntrack(8). Needs root and the built program; tests name its flows.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$folder/../../../out/conntracker
client=ctpr-c-$$ firewall=ctpr-f-$$ server=ctpr-s-$$
cleanup() {
  local pid
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  wait || true
  rm -f "/tmp/$server.py"
  for name in "$client" "$firewall" "$server"; do ip netns del "$name" 2>/dev/null || true; done
}
trap cleanup EXIT
for name in "$client" "$firewall" "$server"; do ip netns add "$name"; ip -n "$name" link set lo up; done
ip -n "$client" link add c0 type veth peer name f0 netns "$firewall"
ip -n "$firewall" link add f1 type veth peer name s0 netns "$server"
address() { ip -n "$1" address add "$3" dev "$2" ${4:-}; ip -n "$1" link set "$2" up; }
address "$client" c0 10.1.0.2/24; address "$client" c0 2001:db8:1::2/64 nodad
address "$firewall" f0 10.1.0.1/24; address "$firewall" f0 2001:db8:1::1/64 nodad
address "$firewall" f1 198.51.100.1/24; address "$firewall" f1 2001:db8:2::1/64 nodad
address "$server" s0 198.51.100.2/24; address "$server" s0 2001:db8:2::2/64 nodad
ip -n "$client" route add default via 10.1.0.1; ip -n "$client" -6 route add default via 2001:db8:1::1
ip -n "$server" route add 10.1.0.0/24 via 198.51.100.1; ip -n "$server" -6 route add default via 2001:db8:2::1
ip netns exec "$firewall" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip netns exec "$firewall" nft -f - <<'NFT'
table ip nat {
  chain pre { type nat hook prerouting priority dstnat; ip daddr 203.0.113.80 tcp dport 8080 dnat to 198.51.100.2:80; }
  chain post { type nat hook postrouting priority srcnat; ip saddr 10.1.0.0/24 udp dport 53 masquerade; }
}
NFT
cat > "/tmp/$server.py" <<'PY'
import socket, sys, threading
def tcp(family, host, port):
    s = socket.socket(family, socket.SOCK_STREAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((host, port)); s.listen()
    while True:
        c, _ = s.accept(); c.sendall(c.recv(4096)); c.close()
def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", port))
    while True:
        data, peer = s.recvfrom(4096); s.sendto(data, peer)
for f, h, p in ((socket.AF_INET, "0.0.0.0", 22), (socket.AF_INET, "0.0.0.0", 80), (socket.AF_INET6, "::", 443)):
    threading.Thread(target=tcp, args=(f, h, p), daemon=True).start()
threading.Thread(target=udp, args=(53,), daemon=True).start()
threading.Event().wait()
PY
ip netns exec "$server" python3 "/tmp/$server.py" &
sleep 1
rm -f "$folder/office.ctrec"
"$program" -f --netns "$firewall" --accounting --record "$folder/office.ctrec" -o - >/dev/null &
capture=$!
sleep 2
ip netns exec "$client" python3 - <<'PY'
import socket, time
held = []
def tcp(family, source, port, target, target_port, close=True):
    s = socket.socket(family, socket.SOCK_STREAM); s.bind((source, port)); s.settimeout(3); s.connect((target, target_port))
    s.sendall(b"x" * 100); s.recv(4096)
    if close: s.close()
    else: held.append(s)
tcp(socket.AF_INET, "10.1.0.2", 40001, "198.51.100.2", 22, close=False)
tcp(socket.AF_INET, "10.1.0.2", 40002, "198.51.100.2", 80)
tcp(socket.AF_INET, "10.1.0.2", 40003, "203.0.113.80", 8080)
tcp(socket.AF_INET6, "2001:db8:1::2", 40004, "2001:db8:2::2", 443)
for port, wait in ((53, 2), (5353, 0)):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.1.0.2", 41000 + port)); s.settimeout(3)
    s.sendto(b"query", ("198.51.100.2", port))
    if wait: s.recv(4096)
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.bind(("10.1.0.2", 40005)); s.settimeout(1)
try: s.connect(("203.0.113.9", 9999))
except OSError: pass
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("2001:db8:1::2", 42000)); s.sendto(b"log", ("2001:db8:1::1", 514))
PY
ip netns exec "$client" ping -q -c 1 198.51.100.2 >/dev/null
ip netns exec "$client" ping -q -c 1 2001:db8:2::2 >/dev/null
ip netns exec "$firewall" ping -q -c 1 10.1.0.2 >/dev/null
ip netns exec "$firewall" ping -q -c 1 127.0.0.1 >/dev/null
in_firewall() { ip netns exec "$firewall" conntrack "$@" >/dev/null; }
in_firewall -I -p sctp --state ESTABLISHED --orig-vtag 7 --reply-vtag 8 -s 10.1.0.7 -d 192.0.2.7 --sport 5000 --dport 3868 -t 600 -u SEEN_REPLY,ASSURED
in_firewall -I -p udplite -s 10.1.0.9 -d 192.0.2.9 --sport 5002 --dport 5005 -t 600 || true
in_firewall -I -p 89 -s 10.1.0.10 -d 224.0.0.5 -t 600
in_firewall -I -p tcp --state ESTABLISHED -s 10.1.0.3 -d 192.0.2.3 --sport 50000 --dport 443 -t 600 -u SEEN_REPLY,ASSURED -m 42 --zone 7
in_firewall -D -p udplite
sleep 1
kill -TERM "$capture" # a shell starts its background jobs with SIGINT ignored
wait "$capture"
ls -l "$folder/office.ctrec"
"$program" --replay "$folder/office.ctrec" --format csv -o -
