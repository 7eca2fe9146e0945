#!/usr/bin/env bash
# Makes nflog.bin and kmsg.log beside it: what the running kernel tells of traced packets, by NFLOG group 0 and in its own log.
# Needs root, iptables-legacy, nft, ping and python3. Works in two namespaces of its own, and removes them. For the log it sets
# net.netfilter.nf_log_all_netns, which is one for all namespaces, for a few seconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=trace-fixture-c host=trace-fixture-h
all=$(cat /proc/sys/net/netfilter/nf_log_all_netns)
clean() {
  echo "$all" >/proc/sys/net/netfilter/nf_log_all_netns
  for each in "$client" "$host"; do ip netns del "$each" 2>/dev/null || true; done
}
trap clean EXIT
ip netns add "$client"; ip netns add "$host"
for each in "$client" "$host"; do
  ip netns exec "$each" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  # Every error is to be there, not one a second.
  ip netns exec "$each" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
  ip -n "$each" link set lo up
done
ip link add eth0 netns "$host" type veth peer name eth0 netns "$client"
ip -n "$host" addr add 192.0.2.1/24 dev eth0; ip -n "$host" addr add 2001:db8:1::1/64 dev eth0 nodad
ip -n "$client" addr add 192.0.2.2/24 dev eth0; ip -n "$client" addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n "$host" link set eth0 up; ip -n "$client" link set eth0 up

for tables in iptables-legacy ip6tables-legacy; do
  ip netns exec "$host" $tables -t raw -A PREROUTING -p udp --dport 9999 -j NOTRACK
  ip netns exec "$host" $tables -N odd:name-:1
  ip netns exec "$host" $tables -A odd:name-:1 -p tcp --dport 5001 -j DROP
  ip netns exec "$host" $tables -A INPUT -p tcp -j odd:name-:1
  ip netns exec "$host" $tables -A INPUT -m mark --mark 7 -j ACCEPT
  ip netns exec "$host" $tables -A INPUT -p udp -j LOG --log-prefix "not a trace: "
done
ip netns exec "$host" nft -f - <<'NFT'
table inet tracer {
  chain in { type filter hook prerouting priority -399; meta nftrace set 1; }
  chain out { type filter hook output priority -399; meta nftrace set 1; }
}
NFT

# Its argument is the first TCP port: a port that was closed just now cannot be taken again.
traffic() {
  timeout 60 ip netns exec "$client" python3 - "$1" <<'PY'
import socket, struct, sys
def summed(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def icmp(kind, ident, more=b""):
    head = struct.pack("!BBHHH", kind, 0, 0, ident, 1) + more
    return head[:2] + struct.pack("!H", summed(head)) + head[4:]
for family, host, own in ((socket.AF_INET, "192.0.2.1", "192.0.2.2"), (socket.AF_INET6, "2001:db8:1::1", "2001:db8:1::2")):
    for port in (5000, 5001):
        s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(0.5)
        s.bind((own, int(sys.argv[1]) + port % 10))
        try: s.connect((host, port))
        except OSError: pass
        s.close()
    for kind, protocol, port in ((socket.SOCK_DGRAM, 0, 9999), (socket.SOCK_DGRAM, 136, 7000)):
        s = socket.socket(family, kind, protocol); s.bind((own, 41002)); s.sendto(b"x" * 40, (host, port)); s.close()
    # Fragments: the second has no ports.
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((own, 41003)); s.sendto(b"y" * 2000, (host, 9998)); s.close()
    # Header options and extension headers.
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((own, 41004))
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x94\x04\x00\x00")
        s.sendto(b"options", (host, 9997))
    else:
        s.sendmsg([b"options"], [(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, b"\0\0\x05\x02\0\0\x01\0"),
                                 (socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"\0\0\x01\x04\0\0\0\0")], 0, (host, 9997))
    s.close()
    for protocol, data in ((132, struct.pack("!HHII", 41005, 9996, 0, 0)), (33, struct.pack("!HHBBHIQ", 41006, 9995, 4, 0, 0, 0, 0)),
                           (47, b"\0\0\x08\0" + b"gre."), (99, b"any protocol")):
        s = socket.socket(family, socket.SOCK_RAW, protocol); s.sendto(data, (host, 0)); s.close()
    s = socket.socket(family, socket.SOCK_RAW, 1 if family == socket.AF_INET else 58)
    if family == socket.AF_INET:
        s.sendto(icmp(8, 4242), (host, 0)); s.sendto(icmp(13, 4243, b"\0" * 12), (host, 0))
    else:
        s.sendto(icmp(128, 4242), (host, 0))
    s.close()
PY
}

logger() { ip netns exec "$host" sh -c "echo $1$2 >/proc/sys/net/netfilter/nf_log/$3"; }
server() { timeout 60 ip netns exec "$host" python3 - <<'PY' &
import socket, time
held = []
for family in (socket.AF_INET, socket.AF_INET6):
    s = socket.socket(family, socket.SOCK_STREAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(("", 5000)); s.listen(5); held.append(s)
time.sleep(9)
PY
}

# NFLOG: each datagram with its length before it, 32 bits, least significant byte first.
logger nfnetlink_log "" 2; logger nfnetlink_log "" 10
server
timeout 60 ip netns exec "$host" python3 - "$here/nflog.bin" <<'PY' &
import socket, struct, sys, time
s = socket.socket(16, 3, 12); s.bind((0, 0)); s.setsockopt(1, 33, 8 << 20)
def attribute(kind, value): return struct.pack("<HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
def config(*attributes):
    body = struct.pack("!BBH", 0, 0, 0) + b"".join(attributes)
    s.send(struct.pack("<IHHII", 16 + len(body), (4 << 8) | 1, 5, 1, 0) + body)
    error = struct.unpack_from("<i", s.recv(65536), 16)[0]
    assert error == 0, error
config(attribute(1, b"\1"))
config(attribute(2, struct.pack("!IBB", 128, 2, 0)), attribute(6, struct.pack("!H", 1)), attribute(4, struct.pack("!I", 1)))
s.settimeout(0.5); end = time.time() + 6
with open(sys.argv[1], "wb") as out:
    while time.time() < end:
        try: datagram = s.recv(1 << 20)
        except TimeoutError: continue
        out.write(struct.pack("<I", len(datagram)) + datagram)
PY
recorder=$!
sleep 1; traffic 41000; wait "$recorder"

# The kernel's log: only lines of these two addresses' network, as /dev/kmsg hands them out.
logger nf_log_ ipv4 2; logger nf_log_ ipv6 10
echo 1 >/proc/sys/net/netfilter/nf_log_all_netns
timeout 60 python3 - "$here/kmsg.log" <<'PY' &
import os, sys, time
log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK); os.lseek(log, 0, os.SEEK_END)
end = time.time() + 6
with open(sys.argv[1], "wb") as out:
    while time.time() < end:
        try: record = os.read(log, 8192)
        except BlockingIOError: time.sleep(0.05); continue
        if b"192.0.2." in record or b"2001:0db8:0001:" in record: out.write(record)
PY
recorder=$!
sleep 1; traffic 42000; wait "$recorder"
wait
