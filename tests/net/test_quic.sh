#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Datagrams whose QUIC connection id names a backend arrive there, from whatever address and port;
# all others, and those of a backend that takes no packets, go the way of their flow.
. "$(dirname "$0")/lib.sh"

SOURCES=8
PORTS=5
ALL=$((SOURCES * PORTS))
first_port=30000

# quic VIP PORT ARGUMENT...: see quic.py; of the same flows as before. What became of them is in
# $TMP/quic.
quic() {
	in_ns client python3 "$ROOT/tests/net/quic.py" "$1" "$2" $SOURCES $first_port $PORTS "${@:3}" \
		>"$TMP/quic"
}

# quic_afresh: of flows that no balancer can remember.
quic_afresh() {
	first_port=$((first_port + PORTS))
	quic "$@"
}

# at_nodes: how many flows went to nodes 1, 2 and 3.
at_nodes() { echo "$(value quic node1) $(value quic node2) $(value quic node3)"; }

went() { echo "ok $(value quic ok) timeouts $(value quic timeouts) wrong $(value quic wrong)"; }

# check_named NAME NODES
check_named() { check_equal "$1" "$(went): $(at_nodes)" "ok $ALL timeouts 0 wrong 0: $2"; }

# check_by_flow NAME [NODE-WITHOUT]: a flow stays at one node, and flows are at all nodes but that.
check_by_flow() {
	local i got="" expected=""
	for i in 1 2 3; do
		got="$got $(($(value quic node$i) > 0))"
		expected="$expected $((i != ${2-0}))"
	done
	check_equal "$1" "$(went):$got" "ok $ALL timeouts 0 wrong 0:$expected"
}

# way NAME VIP PORT FORWARD FAMILY SERVER-ID-BYTES
way() {
	local name=$1 vip=$2 port=$3 bytes=$6 i header zeros
	local ids=()
	printf -v zeros '%*s' $((2 * bytes - 2)) ''
	for i in 1 2 3 4; do ids[i]=${zeros// /a}c$i; done
	ADDRESS_FAMILY=$5 service "quic-$port" "$port" udp "$4" 3 "$vip" \
		--quic-server-id-bytes "$bytes" --local-count off
	for i in 1 2 3; do
		check "$name: server id ${ids[i]}" \
			lb backend set "quic-$port" "b$i" --server-id "${ids[i]}"
	done

	for header in long short; do
		for i in 1 2 3; do
			quic "$vip" "$port" $header $((i - 1)) "${ids[i]}"
			check_named "$name, $header header: the id of backend $i" \
				"$((i == 1 ? ALL : 0)) $((i == 2 ? ALL : 0)) $((i == 3 ? ALL : 0))"
		done
		quic_afresh "$vip" "$port" $header 0 "${ids[4]}"
		check_by_flow "$name, $header header: an id of nobody"
		quic_afresh "$vip" "$port" $header 7 "${ids[2]}"
		check_by_flow "$name, $header header: not to be routed, says the connection id"
	done
	quic_afresh "$vip" "$port" migrate "${ids[@]:1:3}"
	check_by_flow "$name: clients keep their backend when port and address change"
}

# What becomes of an id when its backend's state changes, and when the id does.
states() {
	local vip=$1 port=$2 name=quic-$2 id=c2 header
	quic "$vip" "$port" short 0 $id
	check_named "before: at backend 2" "0 $ALL 0"
	lb backend set "$name" b2 --state drain
	quic "$vip" "$port" short 0 $id
	check_named "draining: what names it still arrives" "0 $ALL 0"
	lb backend set "$name" b2 --state down
	for header in long short; do
		quic_afresh "$vip" "$port" $header 0 $id
		check_by_flow "down: $header headers go the way of their flow" 2
	done
	lb backend set "$name" b2 --state up
	quic "$vip" "$port" short 0 $id
	check_named "up: at backend 2 again, whatever is remembered of these flows" "0 $ALL 0"

	lb backend set "$name" b2 --server-id c9
	quic "$vip" "$port" short 0 c9
	check_named "another id: it names backend 2" "0 $ALL 0"
	quic_afresh "$vip" "$port" short 0 $id
	check_by_flow "and the old one nobody"
	lb backend set "$name" b2 --server-id none
	lb backend set "$name" b3 --server-id $id
	quic "$vip" "$port" long 0 $id
	check_named "its first id, given to backend 3" "0 0 $ALL"
	lb backend del "$name" b3
	quic_afresh "$vip" "$port" short 0 $id
	check_by_flow "backend 3 removed: its id names nobody" 3
}

network 3
for ((i = 10; i < 10 + SOURCES; i++)); do
	in_ns client ip addr add "10.0.0.$i/24" dev eth0
	in_ns client ip addr add "$(printf 'fd00::%x' $((i + 6)))/64" dev eth0 nodad
done
check "load" lb load
check "attach" lb attach c0
servers 3 1001 1002 1003 1004 1005
way "IPv4 by DSR" "$VIP" 1001 dsr 4 8
way "IPv4 in IPv4" "$VIP" 1002 ipip 4 4
way "IPv6 in IPv6" "$VIP6" 1003 ipip 6 15
way "IPv6 in GUE" "$VIP6" 1004 gue 4 7
way "IPv4 in GUE" "$VIP" 1005 gue 6 1
states "$VIP" 1005
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
