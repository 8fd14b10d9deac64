#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A hop of 1,400 bytes between the balancer and its nodes, both ways: whoever sends too much is told,
# and nothing stalls.
#
#   client -- lb -- near == 1400 bytes == far -- node 1, node 2      everything else: 1,600 bytes
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"

BYTES=10000000

# routes_to_nodes FROM GATEWAY-NETWORK [MTU]
routes_to_nodes() {
	local mtu=${3:+mtu $3} i
	for i in 1 2; do
		# shellcheck disable=SC2086
		in_ns "$1" ip route replace "10.0.$i.0/24" via "10.2.$2.2" $mtu
		# shellcheck disable=SC2086
		in_ns "$1" ip -6 route replace "fd00:0:0:$i::/64" via "fd00:0:2:$2::2" $mtu
	done
}

# Segments of 1,500 bytes, to begin with.
allow_long_segments() {
	in_ns "$1" ip route replace default via "10.0.$2.1" advmss 1460
	in_ns "$1" ip -6 route replace default via "fd00:0:0:$2::1" advmss 1440
}

path() {
	network 0
	add_router near
	add_router far
	connect lb w0 near w0 0 1600
	connect near m0 far m0 1 1400
	routes_to_nodes lb 0
	routes_to_nodes near 1
	in_ns near ip route add default via 10.2.0.1
	in_ns near ip -6 route add default via fd00:0:2:0::1
	in_ns far ip route add default via 10.2.1.1
	in_ns far ip -6 route add default via fd00:0:2:1::1
	add_node 1 far
	add_node 2 far
	allow_long_segments client 0
	allow_long_segments node1 1
	allow_long_segments node2 2
	let_in near w0
	let_in client eth0
}

forget_mtus() {
	local namespace
	for namespace in client node1 node2 lb; do
		in_ns "$namespace" ip route flush cache
		in_ns "$namespace" ip -6 route flush cache
	done
}

# mtu_known NAMESPACE TO [FROM]: what it was told of the way there; nothing if it was not.
mtu_known() {
	in_ns "$1" ip route get "$2" ${3:+from "$3"} | grep -o 'mtu [0-9]*'
}

# How many packets were too long for the balancer, and how many it told the sender of.
refused() { lb stats --json | jq '[.drops[] | select(.reason == "too_big") | .packets] | add // 0'; }
told() { lb status --json | jq .too_big_errors; }

# How often the router before the hop said so.
router_told() {
	in_ns near nstat -asz IcmpOutDestUnreachs Icmp6OutPktTooBigs |
		awk '/^Icmp/ { n += $2 } END { print n }'
}

# errors_at I: how often node I was told that it sent too much.
errors_at() {
	in_ns "node$1" nstat -asz IcmpInDestUnreachs Icmp6InPktTooBigs |
		awk '/^Icmp/ { n += $2 } END { print n }'
}

# An upload begins with more than the path takes: the client must be told, and goes on.
client_is_told() {
	local name=$1 url=$2 vip=$3 client_mtu=$4 told_before refused_before
	forget_mtus
	told_before=$(told)
	refused_before=$(refused)
	check_transfer "$name: upload" upload "$url"
	check_equal "$name: the client was told" "$(mtu_known client "$vip")" "mtu $client_mtu"
	check_equal "$name: by the balancer" "$(($(told) > told_before))" 1
	check_equal "$name: once for each packet that was lost" \
		"$(($(refused) - refused_before))" "$(($(told) - told_before))"
}

# Here what is too long goes no further than the balancer, ...
known_to_balancer() {
	local before
	before=$(router_told)
	client_is_told "$@"
	check_equal "$1: at once" "$(router_told)" "$before"
}

# ... and here it passes on the router's word.
unknown_to_balancer() {
	local before
	before=$(router_told)
	client_is_told "$@"
	check_equal "$1: after a router" "$(($(router_told) > before))" 1
}

# A download from a node that has not heard of the hop yet. It does so by ICMP errors to the VIP, and
# must get those of its own connections.
untold_download() {
	local name=$1 url=$2 vip=$3 client=$4 before told_nodes=
	forget_mtus
	before=("" "$(errors_at 1)" "$(errors_at 2)")
	if ! download "$url"; then
		not_ok "$name: download" "from node $http_node"
		return 1
	fi
	for i in 1 2; do
		[ "$(errors_at $i)" -eq "${before[i]}" ] || told_nodes="$told_nodes$i"
	done
	check_equal "$name: download, node $http_node heard of its own" "$told_nodes" "$http_node"
	check_equal "$name: node $http_node learned" \
		"$(mtu_known "node$http_node" "$client" "$vip")" "mtu 1400"
}

# From either node.
known_to_router() {
	local nodes_seen="" turn
	for ((turn = 0; turn < 20; turn++)); do
		untold_download "$@" || break
		nodes_seen=$nodes_seen$http_node
		case $nodes_seen in *1*2* | *2*1*) return ;; esac
	done
	not_ok "$1: both nodes" "downloads came from: $nodes_seen"
}

path
check "load" lb load
check "attach" lb attach c0
check "attach, where errors come from" lb attach w0
http_nodes 2 1001 1002 1003 1004
http_content $BYTES >"$TMP/content"

# In the headers of GUE is the address of the other node.
service four 1001 tcp ipip 2 "$VIP"
ADDRESS_FAMILY=6 service six 1002 tcp ipip 2 "$VIP6"
service gue-four 1003 tcp gue 2 "$VIP"
ADDRESS_FAMILY=6 service gue-six 1004 tcp gue 2 "$VIP6"
unknown_to_balancer "unknown, IPIP, IPv4" "http://$VIP:1001" "$VIP" 1380
unknown_to_balancer "unknown, IPIP, IPv6" "http://[$VIP6]:1002" "$VIP6" 1360
unknown_to_balancer "unknown, GUE, IPv4" "http://$VIP:1003" "$VIP" 1360
unknown_to_balancer "unknown, GUE, IPv6" "http://[$VIP6]:1004" "$VIP6" 1328

routes_to_nodes lb 0 1400
check "the balancer takes over the route's MTU" lb backend resolve
known_to_balancer "IPIP, IPv4" "http://$VIP:1001" "$VIP" 1380
known_to_balancer "IPIP, IPv6" "http://[$VIP6]:1002" "$VIP6" 1360
known_to_balancer "GUE, IPv4" "http://$VIP:1003" "$VIP" 1360
known_to_balancer "GUE, IPv6" "http://[$VIP6]:1004" "$VIP6" 1328
known_to_router "IPIP, IPv4" "http://$VIP:1001" "$VIP" 10.0.0.2
known_to_router "IPIP, IPv6" "http://[$VIP6]:1002" "$VIP6" fd00:0:0:0::2
known_to_router "GUE, IPv4" "http://$VIP:1003" "$VIP" 10.0.0.2
known_to_router "GUE, IPv6" "http://[$VIP6]:1004" "$VIP6" fd00:0:0:0::2
finish
