#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two balancers that disagree: connections are moved from one to the other, which picks another
# node, and go on, because that node gives what it does not know to the next hop.
#
# Balancer B hangs behind the first, A ("lb"), which is its router to the nodes:
#   client 10.1.0.2 -- 10.1.0.1 c0 B x0 10.2.0.2 -- 10.2.0.1 x0 A
. "$(dirname "$0")/lib.sh"

BYTES=100000000

b() { in_ns b "$SLUICE" --pin "$PIN-b" "$@"; }

second_balancer() {
	test_pins+=("$PIN-b")
	add_namespace b
	add_link client eth1 b c0
	add_link b x0 lb x0
	in_ns client ip addr add 10.1.0.2/24 dev eth1
	in_ns client ip addr add fd00:0:1::2/64 dev eth1 nodad
	in_ns b ip addr add 10.1.0.1/24 dev c0
	in_ns b ip addr add fd00:0:1::1/64 dev c0 nodad
	in_ns b ip addr add 10.2.0.2/24 dev x0
	in_ns b ip addr add fd00:0:2::2/64 dev x0 nodad
	in_ns lb ip addr add 10.2.0.1/24 dev x0
	in_ns lb ip addr add fd00:0:2::1/64 dev x0 nodad
	in_ns b ip route add default via 10.2.0.1
	in_ns b ip -6 route add default via fd00:0:2::1
	in_ns lb ip route add 10.1.0.0/24 via 10.2.0.2
	in_ns lb ip -6 route add fd00:0:1::/64 via fd00:0:2::2
}

# by_way_of A|B: where the client's packets for the VIPs go from now on.
by_way_of() {
	if [ "$1" = B ]; then
		in_ns client ip route replace "$VIP" via 10.1.0.1 advmss 1400
		in_ns client ip -6 route replace "$VIP6" via fd00:0:1::1 advmss 1400
	else
		in_ns client ip route del "$VIP"
		in_ns client ip -6 route del "$VIP6"
	fi 2>/dev/null
	return 0
}

# node_count I KEY: what node I counted, as `sluice status` says.
node_count() {
	in_ns "node$1" "$SLUICE" --pin "$PIN-node$1" status --json | jq ".node.$2"
}

passed_on() { echo $(($(node_count 2 passed_on) + $(node_count 3 passed_on))); }

passed_on_since() { [ "$(passed_on)" -gt $(($1 + 100)) ]; }

answers_since() { [ "$(value "$1" ok)" -ge $(($2 + 200)) ]; }

all_at_node_1() { [ "$(connections_at 1 "$1")" -eq 21 ]; }

# services NAME PORT FORWARD VIP: at both; A picks node 1 for all flows, B never does.
services() {
	local balancer
	for balancer in lb b; do
		$balancer service add "$1" --vip "$4" --port "$2" --proto tcp --forward "$3" || exit 1
		for i in 1 2 3; do
			$balancer backend add "$1" "b$i" --address "${5//I/$i}" --node "node-$i" ||
				exit 1
		done
	done
	lb weight set "$1" b1=1 b2=0 b3=0
	b weight set "$1" b1=0 b2=1 b3=1
}

# goes_on NAME VIP PORT: connections of both kinds survive the change.
goes_on() {
	local before copy_pid
	start_long_flows "$1" tcp "$2" "$3" 20 50
	in_background client "$HELPERS/copy" tcp "$2" "$3" $BYTES >"$TMP/$1-copy"
	copy_pid=$!
	wait_for 5 all_at_node_1 "$3" # the copy as well
	before=$(passed_on)
	by_way_of B
	check "$1: the copy is under way" kill -0 "$copy_pid"
	check "$1: packets get a second chance" wait_for 10 passed_on_since "$before"
	check "$1: every connection speaks after the change" \
		wait_for 10 answers_since "$1" "$(value "$1" ok)"
	timeout 30 tail --pid="$copy_pid" -f /dev/null
	check_equal "$1: the copy is whole, and all from node 1" "$(cat "$TMP/$1-copy")" node1
	stop_long_flows "$long_pid"
	check_unharmed "$1: no connection was hurt" "$1"
	check_equal "$1: all were node 1's" "$(value "$1" node1)" 20
	by_way_of A
}

network 3
second_balancer
check "load A" lb load
check "load B" b load
# Nodes send by native XDP towards A, and B towards A: both ends need a native program.
for device in c0 n1 n2 n3 x0; do check "attach A to $device" lb attach $device; done
check "attach B" b attach c0
check "attach B to x0" b attach x0
servers 3 1001 1002 1003 1004 1005

services four 1001 gue "$VIP" 10.0.I.2
services six 1002 gue "$VIP6" fd00:0:0:I::2
services four-in-six 1003 gue "$VIP" fd00:0:0:I::2
services six-in-four 1004 gue "$VIP6" 10.0.I.2
goes_on four "$VIP" 1001
goes_on six "$VIP6" 1002
goes_on four-in-six "$VIP" 1003
goes_on six-in-four "$VIP6" 1004

# What it would be without.
services ipip 1005 ipip "$VIP" 10.0.I.2
start_long_flows ipip tcp "$VIP" 1005 20 50
by_way_of B
check "ipip: without a second chance connections break" wait_for 10 grep -qx "open 0" "$TMP/ipip"
stop_long_flows "$long_pid"
check_equal "ipip: all of them" "$(value ipip resets)" 20

check_equal "A dropped no packet" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
check_equal "B dropped no packet" "$(b stats --json | jq '[.drops[].packets] | add')" 0
check "status of a node, in words" grep -q "given to the next hop" \
	<(in_ns node2 "$SLUICE" --pin "$PIN-node2" status)
check_fails "a port that is none" 2 "gue-port" in_ns node1 "$SLUICE" --pin "$PIN-node1" \
	attach eth0 --role node --gue-port 65536
check_fails "a port for the balancer" 2 "gue-port" lb attach c0 --gue-port 6080
finish
