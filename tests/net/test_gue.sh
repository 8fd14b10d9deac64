#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# HTTP through GUE, in all mixes of families; new connections land as the weights say.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"

BYTES=1000000
FLOWS=1000
port=1000

decapsulated() { echo $(($(decapsulated_at 1) + $(decapsulated_at 2) + $(decapsulated_at 3))); }

packets_sent() {
	lb stats --json | jq "[.backends[] | select(.service == \"$1\").packets] | add"
}

# all_arrived SERVICE BEFORE: nothing is under way any more.
all_arrived() { [ $(($(decapsulated) - $2)) -eq "$(packets_sent "$1")" ]; }

# way NAME VIP URL-HOST BACKEND-FAMILY: HTTP at $port, short connections at the port after it.
way() {
	local name=$1 vip=$2 family=$4 before i weights=(0 10 20 70)
	port=$((port + 2))
	ADDRESS_FAMILY=$family service "http-$port" $port tcp gue 3 "$vip"
	ADDRESS_FAMILY=$family service "shares-$port" $((port + 1)) tcp gue 3 "$vip" --local-count off
	lb weight set "shares-$port" b1=10 b2=20 b3=70

	before=$(decapsulated)
	check_transfer "$name: download" download "http://$3:$port"
	check_transfer "$name: upload" upload "http://$3:$port"
	check "$name: all of it through tunnels" wait_for 2 all_arrived "http-$port" "$before"
	check_equal "$name: and that was much" "$(($(decapsulated) - before > 700))" 1

	forget_flows
	short_flows tcp "$vip" $((port + 1)) $FLOWS close $((10000 + port))
	check_equal "$name: every connection was answered" "$(value short ok)" $FLOWS
	for i in 1 2 3; do
		check_share "$name: weight ${weights[i]} of 100" \
			"$(flows_at "$i" tcp $((port + 1)))" "${weights[i]}" 100
	done
}

all_ways() {
	way "IPv4 in IPv4$1" "$VIP" "$VIP" 4
	way "IPv6 in IPv6$1" "$VIP6" "[$VIP6]" 6
	way "IPv4 in IPv6$1" "$VIP" "$VIP" 6
	way "IPv6 in IPv4$1" "$VIP6" "[$VIP6]" 4
}

network 3
check "load" lb load
check "attach" lb attach c0
http_nodes 3 1002 1004 1006 1008 1010
servers 3 1003 1005 1007 1009
http_content $BYTES >"$TMP/content"
all_ways ""
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0

# At another port than nodes expect, it is for nobody.
check "the balancer moves to another port" lb load --gue-port 6080
service moved 1010 tcp gue 3
check_fails "the nodes are not there yet" 28 "timed out|Timeout" \
	in_ns client curl -sS --connect-timeout 1 "http://$VIP:1010/1"
for i in 1 2 3; do
	check "node $i moves, too" in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" \
		attach eth0 --role node --gue-port 6080
done
check_transfer "all are at the other port" download "http://$VIP:1010"
finish
