#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Weights move all the time; connections that exist do not notice, whatever CPU their packets meet.
. "$(dirname "$0")/lib.sh"

CHANGES=100
RANDOM=1 # bash's random numbers, the same in every run

random_weights() {
	local i
	for i in 1 2 3; do echo "b$i=$((RANDOM % 4 ? RANDOM % 1000 : 0)).$((RANDOM % 1000))"; done
}

random_reports() {
	jq -nc --argjson a $((RANDOM % 101)) --argjson b $((RANDOM % 101)) \
		--argjson c $((RANDOM % 101)) --argjson latency $((RANDOM % 100)) '
		[{node_id: "node-1", cpu_percent: $a, latency_ms: $latency},
		 {node_id: "node-2", cpu_percent: $b}, {node_id: "node-3", cpu_percent: $c}]'
}

# Every second change comes from reports, and those go through the policies in turn.
change_weights() {
	local change policies=(edge probe score)
	for ((change = 0; change < CHANGES; change += 2)); do
		# shellcheck disable=SC2046
		lb weight set web $(random_weights) || return 1
		random_reports |
			lb weight apply - --policy "${policies[change / 2 % 3]}" || return 1
	done
}

answers_since() { [ "$(value tcp ok)" -ge $(($1 + 400)) ]; }

network 3
check "load" lb load
check "attach" lb attach c0
servers 3 80
service web 80 tcp ipip 3
service dns 80 udp dsr 3
start_long_flows tcp tcp "$VIP" 80 200 100
tcp_pid=$long_pid
start_long_flows udp udp "$VIP" 80 50 100
udp_pid=$long_pid
for i in 1 2 3; do
	[ "$(value tcp "node$i")" -gt 0 ] && [ "$(value udp "node$i")" -gt 0 ] ||
		not_ok "node$i has flows of both kinds" "$(cat "$TMP/tcp" "$TMP/udp")"
done

before=$(generation)
check "$CHANGES changes of weights" change_weights
check_equal "each was a generation" $(($(generation) - before)) $CHANGES
check "every connection speaks after the last change, too" \
	wait_for 10 answers_since "$(value tcp ok)"
check "of dns, weights that leave one node only" lb weight set dns b1=0 b2=0 b3=1
check "of web, a candidate more" \
	lb backend add web b4 --address fd00:0:0:1::2 --weight 300
check "and one whose base weight changes" lb backend set web b2 --weight 7
check "every connection speaks after that, too" wait_for 10 answers_since "$(value tcp ok)"

stop_long_flows "$tcp_pid"
stop_long_flows "$udp_pid"
check_unharmed "no TCP connection was reset, late or moved" tcp
check_equal "all 200 lived to the end" "$(value tcp open)" 200
check_unharmed "no UDP flow was late or moved" udp
check_equal "all 50 lived to the end" "$(value udp open)" 50
for i in 1 2 3; do
	check_equal "node$i's server met its connections once" \
		"$(flows_at "$i" tcp 80)" "$(value tcp "node$i")"
done

found=$(lb status --json | jq .flows_found_on_another_cpu)
if [ "$(nproc)" -gt 1 ] && [ "$found" -lt 250 ]; then
	not_ok "flows went from CPU to CPU" "$found were found on another CPU"
else
	ok "flows went from CPU to CPU: $found times"
fi
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
