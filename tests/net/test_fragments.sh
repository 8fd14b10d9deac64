#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fragments of a datagram of 4,000 bytes meet at one backend, in whatever order they come, and the
# first ones go where the rest of their flow goes.
. "$(dirname "$0")/lib.sh"

SOURCES=20
PORTS=3
DATAGRAMS=$((SOURCES * PORTS))

# arrive NAME VIP PORT ORDER
arrive() {
	in_ns client python3 "$ROOT/tests/net/fragments.py" "$2" "$3" "$4" $SOURCES $PORTS \
		>"$TMP/fragments"
	check_equal "$1, $4: all whole, and of one node each" \
		"$(value fragments ok) $(value fragments wrong)" "$DATAGRAMS 0"
	check_equal "$1, $4: both nodes" \
		"$(($(value fragments node1) > 0 && $(value fragments node2) > 0))" 1
}

# way NAME VIP PORT FORWARD FAMILY
way() {
	local order
	ADDRESS_FAMILY=$5 service "udp-$3" "$3" udp "$4" 2 "$2"
	for order in forward backward middle twice; do arrive "$1" "$2" "$3" $order; done
}

network 2
for ((i = 10; i < 10 + SOURCES; i++)); do
	in_ns client ip addr add "10.0.0.$i/24" dev eth0
	in_ns client ip addr add "$(printf 'fd00::%x' $((i + 6)))/64" dev eth0 nodad
done
check "load" lb load
check "attach" lb attach c0
servers 2 1001 1002 1003 1004 1005 1006
way "IPv4 by DSR" "$VIP" 1001 dsr 4
way "IPv6 by DSR" "$VIP6" 1002 dsr 6
way "IPv4 in IPv4" "$VIP" 1003 ipip 4
way "IPv6 in IPv6" "$VIP6" 1004 ipip 6
way "IPv4 in GUE" "$VIP" 1005 gue 4
way "IPv6 in GUE" "$VIP6" 1006 gue 6

# One that a client's stack cuts up.
in_ns client ip route replace default via 10.0.0.1 mtu 900
check "1 MB in datagrams of two fragments" \
	in_ns client "$HELPERS/copy" udp "$VIP" 1003 1000000
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
