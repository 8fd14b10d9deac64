#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# 1 MB there and back, intact, through every way a packet can go.
. "$(dirname "$0")/lib.sh"

BYTES=1000000
port=1000

packets_through_tunnels() { echo $(($(decapsulated_at 1) + $(decapsulated_at 2))); }

# way NAME VIP FORWARD BACKEND-FAMILY: TCP and UDP, each its own service on two nodes.
way() {
	local proto before
	for proto in tcp udp; do
		port=$((port + 1))
		ADDRESS_FAMILY=$4 service "$proto-$port" $port $proto "$3" 2 "$2"
		before=$(packets_through_tunnels)
		check "$1, $proto: $BYTES bytes" \
			in_ns client "$HELPERS/copy" $proto "$2" $port $BYTES
		if [ "$3" = ipip ]; then
			check_equal "$1, $proto: in a tunnel" \
				"$(($(packets_through_tunnels) - before > 100))" 1
		else
			check_equal "$1, $proto: in no tunnel" "$(packets_through_tunnels)" "$before"
		fi
		short_flows $proto "$2" $port 100 close 40000
		check_equal "$1, $proto: 100 flows" "$(value short ok)" 100
		check_equal "$1, $proto: both nodes" \
			"$(($(value short node1) > 10 && $(value short node2) > 10))" 1
	done
}

network 2
cat >"$TMP/sluice.yaml" <<'END'
load:
  flows_per_cpu: 4096
  tunnel_source_ipv4: 10.200.0.0/16
  tunnel_source_ipv6: fd00:200::/64
END
check "load, with sources that vary by flow" lb load --config "$TMP/sluice.yaml"
check "attach" lb attach c0
servers 2 $(seq 1001 1012)
way "IPv4 in IPv4" "$VIP" ipip 4
way "IPv6 in IPv6" "$VIP6" ipip 6
way "IPv4 in IPv6" "$VIP" ipip 6
way "IPv6 in IPv4" "$VIP6" ipip 4
way "IPv4 by DSR" "$VIP" dsr 4
way "IPv6 by DSR" "$VIP6" dsr 6

# Other packets for the VIPs' network, and for the balancer itself, are none of our business.
check "ping the balancer" in_ns client ping -qc 3 -i 0.01 -W 2 10.0.0.1
check "ping the balancer's IPv6" in_ns client ping -qc 3 -i 0.01 -W 2 fd00:0:0:0::1
check "ping a node through it" in_ns client ping -qc 3 -i 0.01 -W 2 10.0.1.2
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0

# A service for every port takes what no other does.
lb service add any --vip "$VIP" --port any --proto tcp --forward ipip >/dev/null
lb backend add any b1 --address 10.0.2.2
in_background node2 "$HELPERS/server" 9 "$TMP/node9.log" 2001
wait_for 5 grep -q ready "$TMP/node9.log"
check_equal "a port of no other service" \
	"$(in_ns client "$HELPERS/copy" tcp "$VIP" 2001 $BYTES)" node9
check "a port of another service" in_ns client "$HELPERS/copy" tcp "$VIP" 1001 $BYTES
finish
