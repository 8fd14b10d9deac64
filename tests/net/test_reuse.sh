#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A client with few ports uses each again and again, while weights move: a flow that was closed, by
# whichever end and in whichever way, must not stand in the way of the next with its addresses.
. "$(dirname "$0")/lib.sh"

FLOWS=4000
PORTS=500
THREADS=2 # more keep the devices polled by one CPU, so that nothing hops

# As long as that process lives, give all new flows to one backend after the other, so that whatever
# is left of an old flow differs from what a new one gets.
move_weights_during() {
	local all="b1=0 b2=0 b3=0"
	changes=0
	while kill -0 "$1" 2>/dev/null; do
		changes=$((changes + 1))
		# shellcheck disable=SC2086
		lb weight set "$2" ${all/b$((changes % 3 + 1))=0/b$((changes % 3 + 1))=1}
	done
}

# reuse NAME SERVICE PORT ENDING
reuse() {
	local pid
	short_flows tcp "$VIP" "$3" $FLOWS "$4" &
	pid=$!
	test_pids+=("$pid")
	move_weights_during "$pid" "$2"
	wait "$pid"
	check_unharmed "$1: no connection failed" short
	check_equal "$1: $FLOWS connections from $PORTS ports" "$(value short ok)" $FLOWS
	if [ "$changes" -ge 10 ]; then ok "$1: weights moved"; else not_ok "$1: weights moved"; fi
}

network 3
check "load" lb load
check "attach" lb attach c0
servers 3 80 81c
service web 80 tcp ipip 3
service closing 81 tcp dsr 3
in_ns client sysctl -qw net.ipv4.ip_local_port_range="20000 $((20000 + PORTS - 1))" \
	net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_timestamps=1
# A kernel that has this needs no second of rest for each port.
in_ns client sysctl -qw net.ipv4.tcp_tw_reuse_delay=100 2>/dev/null

reuse "client closes" web 80 close
reuse "server closes" closing 81 wait
reuse "client resets" web 80 abort

no_open_flows() { [ "$(lb status --json | jq .open_flows)" = 0 ]; }
check "no flow stays open" wait_for 5 no_open_flows
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
