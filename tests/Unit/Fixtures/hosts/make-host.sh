#!/usr/bin/env bash
# Makes host.bin: what rtnetlink says of the interfaces, addresses, routes and routing rules of a network namespace, message after message; and beside
# it what ip(8) says of the same. Needs root, iproute2 and python3. Kinds of interfaces that the kernel lacks are left out.
set -euo pipefail
cd "$(dirname "$0")"
ns=conntracker-fixture-$$
ip netns add "$ns"
trap 'ip netns del "$ns"' EXIT
n() { ip -n "$ns" "$@"; }

n link set lo up
n link add br0 type bridge
n link add eth0 index 70 type veth peer name far0 index 71
n link set eth0 address 02:00:5e:00:53:01 mtu 1400 group 7 alias uplink
n link property add dev eth0 altname enp0s31f6 altname uplink-with-a-name-that-is-long
n link set far0 master br0
ip netns exec "$ns" ip tuntap add dev tun0 mode tun
n link set tun0 up
n link set br0 up
n link set far0 up
n link set eth0 up
n addr add 192.0.2.1/24 broadcast + dev eth0
n addr add 2001:db8:1::1/64 dev eth0 nodad
n addr add 10.8.0.1 peer 10.8.0.2/32 dev tun0
n addr add 2001:db8:8::1 peer 2001:db8:8::2/128 dev tun0 nodad
n addr add 198.51.100.1/28 dev br0 noprefixroute
n route add default via 192.0.2.254 dev eth0 metric 100
n route add 203.0.113.0/24 via 192.0.2.253 src 192.0.2.1
n route add 203.0.113.128/25 nexthop via 192.0.2.252 dev eth0 nexthop via 192.0.2.251 dev eth0
n route add 10.20.0.0/16 via inet6 fe80::1 dev eth0
n route add 10.21.0.0/16 via 172.16.0.1 dev eth0 onlink
n route add blackhole 10.66.0.0/16
n route add unreachable 10.67.0.0/16 table 4000
n route add local 10.9.0.0/16 dev lo table 100
n route add 10.22.0.0/16 dev eth0 tos 0x10
n -6 route add default via 2001:db8:1::ff dev eth0 metric 300
n -6 route add prohibit 2001:db8:66::/48
n -6 route add 2001:db8:77::/48 from 2001:db8:1::/64 dev eth0
n rule add pref 100 from 192.0.2.0/24 to 203.0.113.0/24 iif eth0 oif tun0 table 100
n rule add pref 200 not fwmark 0xca6c table 51820
n rule add pref 201 table main suppress_prefixlength 0
n rule add pref 202 fwmark 0x100/0xff00 blackhole
n rule add pref 203 ipproto tcp dport 22 table 100
n -6 rule add pref 300 from 2001:db8:1::/64 prohibit
n -6 rule add pref 301 uidrange 1000-1999 table 100

# The family, and how long the header is, differ by request; all zero asks for everything.
ip netns exec "$ns" python3 - <<'PYTHON'
import socket, struct
DUMP, DONE = 0x301, 3
with open('host.bin', 'wb') as out:
    for kind, header in ((18, 16), (22, 8), (26, 12), (34, 12)):
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        link.send(struct.pack('=IHHII', 16 + header, kind, DUMP, 1, 0) + bytes(header))
        ended = False
        while not ended:
            data = link.recv(1 << 20)
            while data:
                length, what = struct.unpack_from('=IH', data)
                ended |= what == DONE
                if what != DONE:
                    out.write(data[:length].ljust((length + 3) & ~3, b'\0'))
                data = data[(length + 3) & ~3:]
PYTHON
