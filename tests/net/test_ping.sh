#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Ping to a VIP, of every size; how many are answered; whom the stack answers still.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/capture.sh"

# ping_sizes ADDRESS LARGEST: one of each size from 0 on. Says what was not answered as it must be.
ping_sizes() {
	# shellcheck disable=SC2016 # for another shell: one nsenter for all
	in_ns client bash -c 'for ((size = 0; size <= $2; size++)); do
		ping -n -c 1 -s $size -W 2 "$1" || echo "$size bytes: no answer"
	done' - "$1" "$2" | grep -E "no answer|BAD CHECKSUM|wrong data|DUP|truncated"
}

echo_replies() { lb status --json | jq .echo_replies; }
pings_refused() {
	lb stats --json | jq '[.drops[] | select(.reason == "echo_limit") | .packets] | add // 0'
}

# every_size NAME VIP LARGEST REPLY REPLY-CHECKSUM-STATUS
every_size() {
	local name=$1 vip=$2 largest=$3 reply=$4 status=$5 before
	before=$(echo_replies)
	start_capture client eth0 "$TMP/pings" "host $vip"
	check_equal "$name: every size from 0 to $largest" "$(ping_sizes "$vip" "$largest")" ""
	stop_capture "$TMP/pings"
	check_equal "$name: the balancer did that" $(($(echo_replies) - before)) $((largest + 1))
	check_equal "$name: replies" "$(count_frames "$TMP/pings" "$reply")" $((largest + 1))
	check_equal "$name: right checksums" \
		"$(count_frames "$TMP/pings" "$reply && $status == 1")" $((largest + 1))
	check_equal "$name: nothing malformed or damaged" \
		"$(count_frames "$TMP/pings" "_ws.malformed || ip.checksum.status == 0")" 0
}

# flood NAME VIP: far more than the rate; the pings of one CPU, so that there is one budget.
flood() {
	local name=$1 vip=$2 answered refused_before answers_before
	refused_before=$(pings_refused)
	answers_before=$(echo_replies)
	answered=$(in_ns client taskset -c 0 ping -n -q -f -l 50 -c 500 -W 1 "$vip" |
		awk '/received/ { print $4 }')
	check_equal "$name: a flood is answered in part" \
		"$((answered >= 20 && answered <= 200))" 1
	check_equal "$name: as many as the balancer says" \
		"$(($(echo_replies) - answers_before))" "$answered"
	check_equal "$name: and the others were counted" \
		"$(($(pings_refused) - refused_before))" $((500 - answered))
}

network 1
let_in client eth0
in_ns client ip link set dev eth0 mtu 1500
check "load" lb load
check "attach" lb attach c0
service web 80 tcp ipip 1
service web6 80 tcp ipip 1 "$VIP6"

every_size "IPv4" "$VIP" 1472 "icmp.type == 0" "icmp.checksum.status"
every_size "IPv6" "$VIP6" 1452 "icmpv6.type == 129" "icmpv6.checksum.status"

before=$(echo_replies)
check "the stack answers for the balancer itself" in_ns client ping -qc 3 -i 0.01 -W 2 10.0.0.1
check "also in IPv6" in_ns client ping -qc 3 -i 0.01 -W 2 fd00:0:0:0::1
check "and sends on what is for a node" in_ns client ping -qc 3 -i 0.01 -W 2 10.0.1.2
# A fragmented one is the stack's, which has no such address: it is a router, and knows no way.
check_fails "and so it does with a ping in fragments" 1 "Unreachable|100% packet loss" \
	in_ns client ping -c 1 -s 3000 -W 1 "$VIP"
check_equal "of which we sent none" "$(echo_replies)" "$before"

check "ten a second" lb load --icmp-rate 10
flood "IPv4" "$VIP"
flood "IPv6" "$VIP6"
check "none" lb load --icmp-rate 0
check_fails "none is answered" 1 "100% packet loss" in_ns client ping -c 3 -i 0.01 -W 1 "$VIP"
finish
