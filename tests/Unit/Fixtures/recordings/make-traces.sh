#!/usr/bin/env bash
# Makes trace-nftables.ctrec and trace-iptables.ctrec: conntracker's own recording of what a traced firewall between a client and a
# server tells. Usage, as root: make-traces.sh CONNTRACKER nft|ipt FILE. Works in three namespaces of its own, and removes them.
set -euo pipefail
program=$1 kind=$2 file=$3
C=trace-record-c; F=trace-record-f; S=trace-record-s
clean() { for n in $C $F $S; do ip netns del $n 2>/dev/null || true; done; }
clean; trap clean EXIT
for n in $C $F $S; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0; ip -n $n link set lo up; done
ip link add eth0 netns $C type veth peer name cli netns $F
ip link add eth0 netns $S type veth peer name srv netns $F
a() { ip -n $1 addr add $3 dev $2 ${4:-}; }
a $C eth0 192.0.2.2/24; a $C eth0 2001:db8:1::2/64 nodad; a $F cli 192.0.2.1/24; a $F cli 2001:db8:1::1/64 nodad
a $F srv 198.51.100.1/24; a $F srv 2001:db8:2::1/64 nodad; a $S eth0 198.51.100.2/24; a $S eth0 2001:db8:2::2/64 nodad
for p in "$C eth0" "$F cli" "$F srv" "$S eth0"; do set -- $p; ip -n $1 link set $2 up; done
ip -n $C route add default via 192.0.2.1; ip -n $C -6 route add default via 2001:db8:1::1
ip -n $S route add default via 198.51.100.1; ip -n $S -6 route add default via 2001:db8:2::1
ip netns exec $F sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
if [ $kind = nft ]; then
ip netns exec $F nft -f - <<'NFT'
table inet fw {
  map ports { type inet_service : verdict; elements = { 8080 : accept, 8081 : drop, 8082 : jump web } }
  chain deep { tcp dport 7001 goto deeper comment "never back"; tcp dport 7002 return; meta l4proto tcp counter; }
  chain deeper { ct state new accept; }
  chain web { tcp dport 8082 ip ttl > 1 accept; }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    tcp dport 22 drop comment "no ssh"
    tcp dport 25 reject with tcp reset
    udp dport 69 reject comment "no tftp"
    tcp dport vmap @ports
    tcp dport 7000-7002 jump deep
    tcp dport 7002 accept
    udp dport 53 accept
    meta l4proto icmp accept
    meta l4proto ipv6-icmp accept
    tcp dport 9001 accept
  }
  chain late { type filter hook forward priority filter + 10; policy accept; tcp dport 9001 drop comment "late"; }
  chain incoming { type filter hook input priority filter; policy accept; udp dport 161 drop; }
  chain exempt { type filter hook prerouting priority raw; udp dport 4444 notrack; }
}
table ip nat {
  chain pre { type nat hook prerouting priority dstnat; ip daddr 192.0.2.1 tcp dport 80 dnat to 198.51.100.2:8080; }
  chain post { type nat hook postrouting priority srcnat; oifname "srv" udp dport 53 masquerade; }
}
NFT
else
for t in iptables-legacy ip6tables-legacy; do
r() { ip netns exec $F $t "$@"; }
r -t mangle -A FORWARD -p tcp --dport 22 -j MARK --set-mark 7
r -N services; r -N refuse
r -A refuse -p tcp -j REJECT --reject-with tcp-reset
r -A refuse -j DROP
r -A services -p tcp --dport 8080 -m comment --comment "the web" -j ACCEPT
r -A services -p tcp --dport 25 -g refuse
r -A services -p tcp --dport 7000 -j RETURN
r -P FORWARD DROP
r -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
r -A FORWARD -p tcp -j services
r -A FORWARD -p tcp --dport 22 -m comment --comment "no ssh" -j DROP
r -A FORWARD -p udp --dport 53 -j ACCEPT
r -A FORWARD -p udp --dport 4444 -j refuse
r -A INPUT -p icmp -j ACCEPT
r -A INPUT -p ipv6-icmp -j ACCEPT
r -A INPUT -j DROP
done
ip netns exec $F iptables-legacy -t nat -A PREROUTING -d 192.0.2.1 -p tcp --dport 80 -j DNAT --to-destination 198.51.100.2:8080
ip netns exec $F iptables-legacy -t nat -A POSTROUTING -o srv -p udp --dport 53 -j MASQUERADE
fi
timeout 40 ip netns exec $S python3 - <<'PY' &
import socket, select, time
socks = {}
for port in (8080, 8082, 7000, 7001, 7002, 9001):
    s = socket.socket(socket.AF_INET6); s.setsockopt(1, 2, 1); s.bind(("::", port)); s.listen(9); socks[s] = 't'
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.bind(("::", 53)); socks[u] = 'u'
end = time.time() + 25
while time.time() < end:
    for s in select.select(list(socks), [], [], 0.3)[0]:
        if s is u: d, f = s.recvfrom(999); s.sendto(d, f)
        elif socks[s] == 't': c, _ = s.accept(); socks[c] = 'c'
        else:
            d = s.recv(999)
            if d: s.send(d)
            else: s.close(); del socks[s]
PY
server=$!
timeout 60 "$program" --netns $F -f -t --duration 9 --record "$file" -o - >/dev/null &
tool=$!
sleep 3.5
timeout 20 ip netns exec $C python3 - $kind <<'PY'
import socket, struct, sys
kind = sys.argv[1]
def tcp(sport, dport, dst="198.51.100.2", talk=True):
    v6 = ":" in dst
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET); s.settimeout(0.25)
    s.bind(("2001:db8:1::2" if v6 else "192.0.2.2", sport))
    try:
        s.connect((dst, dport)); s.send(b"hello"); s.recv(99)
    except OSError as e: pass
    s.close()
def udp(sport, dport, dst="198.51.100.2"):
    s = socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.25)
    s.bind(("", sport)); s.sendto(b"hello", (dst, dport))
    try: s.recv(99)
    except OSError: pass
    s.close()
if kind == "nft":
    tcp(40001, 22); tcp(40002, 25); udp(40003, 69); tcp(40004, 8080); tcp(40005, 8081); tcp(40006, 8082)
    tcp(40007, 7000); tcp(40008, 7001); tcp(40009, 7002); udp(40010, 53); tcp(40011, 9001); udp(40012, 161, "192.0.2.1")
    tcp(40013, 80, "192.0.2.1"); tcp(40014, 9999); udp(40015, 4444); tcp(40016, 22, "2001:db8:2::2"); tcp(40017, 7001, "2001:db8:2::2")
    udp(40018, 162, "192.0.2.1")
else:
    tcp(40001, 22); tcp(40002, 25); tcp(40004, 8080); tcp(40007, 7000); udp(40010, 53); udp(40012, 161, "192.0.2.1")
    tcp(40013, 80, "192.0.2.1"); udp(40015, 4444); tcp(40016, 22, "2001:db8:2::2"); tcp(40017, 8080, "2001:db8:2::2")
PY
wait $tool; kill $server 2>/dev/null || true
