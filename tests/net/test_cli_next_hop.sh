#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The way to a backend: its MTU by device, route and path MTU discovery, and through VLAN devices.
. "$(dirname "$0")/lib.sh"

# way NAME FILTER: of a backend of web.
way() { lb backend list web --json | jq -c ".[] | select(.backend == \"$1\") | $2"; }
resolve() { lb backend resolve web "$1"; }

network 2
check "load" lb load
service web 80 tcp ipip 2
check_equal "the device's MTU" "$(way b1 .mtu_bytes)" 1600
check_equal "no VLAN" "$(way b1 .vlan)" null
check_equal "which the table does not speak of" "$(lb backend list | grep -c VLAN)" 0

check "a route that says less" in_ns lb ip route add 10.0.1.2/32 dev n1 mtu 1400
check_equal "changes nothing by itself" "$(way b1 .mtu_bytes)" 1600
check "resolve" resolve b1
check_equal "the route's MTU" "$(way b1 .mtu_bytes)" 1400
check "a route that says more" in_ns lb ip route replace 10.0.1.2/32 dev n1 mtu 1700
check "resolve again" resolve b1
check_equal "the device's again" "$(way b1 .mtu_bytes)" 1600

# far_network: behind node 2 a link of 1300 bytes, towards 198.51.100.0/24 and fd00:9::/64.
far_network() {
	in_ns node2 ip link add far0 mtu 1300 type veth peer name far1 mtu 1300 &&
		in_ns node2 ip link set far0 up && in_ns node2 ip link set far1 up &&
		in_ns node2 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		in_ns node2 ip route add 198.51.100.0/24 dev far0 &&
		in_ns node2 ip route add fd00:9::/64 dev far0 &&
		in_ns lb ip route add 198.51.100.0/24 via 10.0.2.2 &&
		in_ns lb ip route add fd00:9::/64 via fd00:0:0:2::2
}
# A ping that does not fit: the router's answer teaches the kernel the path's MTU.
discover() {
	in_ns lb ping -q -c 1 -W 1 -M do -s 1500 "$1" >/dev/null 2>&1
	in_ns lb ip route get "$1" | grep -q 'mtu 1300'
}
check "a narrow link behind a router" far_network
for backend in far-ipv4=198.51.100.9 far-ipv6=fd00:9::9; do
	name=${backend%%=*}
	check "$name" lb backend add web "$name" --address "${backend#*=}"
	check_equal "$name: the device's MTU" "$(way "$name" .mtu_bytes)" 1600
	check "$name: path MTU discovery" wait_for 3 discover "${backend#*=}"
	check "$name: resolve" resolve "$name"
	check_equal "$name: the path's MTU" "$(way "$name" .mtu_bytes)" 1300
done

# vlan NAMESPACE DEVICE ADDRESS: id 100 on a device, and 7 in that.
vlan() {
	in_ns "$1" ip link add link "$2" name tag100 type vlan id 100 &&
		in_ns "$1" ip link set tag100 address "02:00:00:00:00:$3" mtu 1550 up &&
		in_ns "$1" ip link add link tag100 name tag7 type vlan id 7 &&
		in_ns "$1" ip link set tag7 mtu 1500 up &&
		in_ns "$1" ip addr add "10.100.0.$3/24" dev tag100 &&
		in_ns "$1" ip addr add "10.107.0.$3/24" dev tag7
}
if in_ns lb ip link add link n1 name probe type vlan id 1 2>/dev/null; then
	in_ns lb ip link del probe
	check "VLAN devices at the balancer" vlan lb n1 11
	check "VLAN devices at the node" vlan node1 eth0 12
	mac=$(in_ns node1 ip -j link show tag100 | jq -r '.[0].address')
	check "a backend behind a VLAN" lb backend add web tagged --address 10.100.0.12
	check_equal "leaves by the device below" \
		"$(way tagged '[.next_hop, .device, .vlan, .mtu_bytes, .mac]')" \
		'["resolved","n1","100",1550,"'"$mac"'"]'
	check "a backend behind two" lb backend add web twice --address 10.107.0.12
	check_equal "the outermost tag first" "$(way twice '[.next_hop, .device, .vlan, .mtu_bytes]')" \
		'["resolved","n1","100.7",1500]'
	check "the table says so" grep -q VLAN <(lb backend list)
else
	ok "VLAN devices # SKIP this kernel has none"
fi
finish
