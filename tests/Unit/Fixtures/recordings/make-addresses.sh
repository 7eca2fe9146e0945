#!/usr/bin/env bash
# Makes addresses.ctrec: conntracker's own recording of the addresses of a host and of the routes that deliver to it, those that it has at
# the start and those that come. Usage, as root: make-addresses.sh CONNTRACKER FILE. Works in a namespace of its own, and removes it.
set -euo pipefail
program=$1 file=$2
N=address-record
clean() { ip netns del $N 2>/dev/null || true; }
clean; trap clean EXIT
ip netns add $N
ip netns exec $N sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.forwarding=1
ip -n $N link add eth0 type veth peer name eth1
ip -n $N -batch - <<'IP'
link set lo up
link set eth0 up
link set eth1 up
addr add 192.0.2.1/24 brd + dev eth0
addr add 2001:db8:1::1/64 dev eth0 nodad
addr add 198.51.100.1 peer 198.51.100.2 dev eth1
route add 203.0.113.0/24 via 192.0.2.2
route add 2001:db8:2::/64 via 2001:db8:1::2
route add local 10.9.0.0/16 dev lo
route add local 10.10.0.0/15 dev lo table 100
route add broadcast 10.99.255.0/24 dev eth0 table local
route add anycast 10.98.0.1 dev eth0 table local
route add local default dev lo table 101
route add local 2001:db8:9::/48 dev lo
route add local 2001:db8:a::/49 dev lo table 100
IP
ip -n $N -6 route add local default dev lo table 101
timeout 60 "$program" --netns $N --duration 6 --record "$file" -o - > /dev/null &
tool=$!
sleep 3.5
ip -n $N -batch - <<'IP'
addr add 192.0.2.7/32 dev eth0
route add local 10.20.0.0/16 dev lo table 100
route add local 2001:db8:b::/48 dev lo
route add 203.0.112.0/24 via 192.0.2.2
route del local 10.9.0.0/16 dev lo
IP
wait $tool
