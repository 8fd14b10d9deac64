#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Rates under attack: in a SYN flood of many sources, clients that are known get through while what
# nobody knows is shed first; a source that is too loud is cut down to its rate, others are not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"
. "$(dirname "$0")/policy.sh"

REQUESTS=60
FLOOD=4000 # SYNs a second

# start_flood SOURCE SOURCES PORT: until stop_flood.
start_flood() {
	in_background client "$HELPERS/syn_flood" eth0 "$lb_mac" "$1" "$2" "$VIP" "$3" $FLOOD 30000
	flood_pid=$!
	flood_ns=$(date +%s%N)
	sleep 1.5 # the burst is gone
}

stop_flood() {
	kill "$flood_pid" 2>/dev/null
	wait "$flood_pid" 2>/dev/null
	flood_ms=$((($(date +%s%N) - flood_ns) / 1000000 + 50))
}

# requests_of SOURCE PORT: how many of $REQUESTS got through. A SYN that is lost is sent again after a
# second, so each has less than that to connect.
requests_of() {
	local i good=0
	for ((i = 0; i < REQUESTS; i++)); do
		in_ns client curl -s -o /dev/null --interface "$1" --connect-timeout 0.7 \
			--max-time 10 "http://$VIP:$2/0" && good=$((good + 1))
	done
	echo $good
}

# check_passed NAME RULE PER-SECOND BURST: no more than that passed, but for a tenth.
check_passed() {
	local passed most=$((($3 * flood_ms / 1000 + $4) * 11 / 10))
	passed=$(of_rule "$2" '.packets - .dropped_packets')
	check_equal "$1: $passed of at most $most" $((passed <= most && passed > 0)) 1
}

# dropped_by REASON
dropped_by() { lb stats --json | jq ".drops[] | select(.reason == \"$1\") | .packets"; }

network 2
client_addresses 3 66
lb_mac=$(in_ns lb ip -j link show c0 | jq -r ".[0].address")
check "load" lb load
check "attach" lb attach c0
service web 80 tcp dsr 2
service other 81 tcp dsr 2
http_nodes 2 80 81 2>/dev/null
check "the route back of what is spoofed ends here" in_ns lb ip route add blackhole 198.18.0.0/15

# --- new flows a second of a service -------------------------------------------------------------
check "a limit on new flows" lb policy add limit any --service web --new-flows 200 --comment syn
check_equal "a client becomes known" "$(curl_says 10.0.0.2 "$VIP:80")" pass
start_flood 198.18.0.0 131072 80
check_equal "a client that is known gets through the flood" "$(requests_of 10.0.0.2 80)" $REQUESTS
check_equal "another service knows nothing of it" "$(requests_of 10.0.0.3 81)" $REQUESTS
stop_flood
check "the flood was shed" test "$(dropped_by new_flow_rate)" -gt $((FLOOD / 2))
check_equal "by that rule" "$(of_rule 1 .dropped_packets)" "$(dropped_by new_flow_rate)"
sleep 1
check_equal "a new client, when it is over" "$(curl_says 10.0.0.66 "$VIP:80")" pass
check "no limit" lb policy del 1

# --- new flows a second of each source -----------------------------------------------------------
check "a limit on each source's new flows" lb policy add limit any --service web --source-new-flows 100
start_flood 10.0.0.66 1 80
check_equal "others go on" "$(requests_of 10.0.0.2 80)" $REQUESTS
stop_flood
check_equal "and the loud one has its rate" "$(($(dropped_by source_new_flow_rate) > FLOOD / 2))" 1
check "no limit" lb policy del 1

# --- packets a second of each source -------------------------------------------------------------
check "a limit on each source's packets" lb policy add limit any --service other --source-packets 500
start_flood 10.0.0.66 1 81
check_equal "others go on" "$(requests_of 10.0.0.2 81)" $REQUESTS
stop_flood
# What the others sent counts as well: a request is 6 packets or 7 of the client.
check_passed "the loud one has its rate" 1 500 $((500 + REQUESTS * 10))
check_equal "the rest was dropped" "$(($(dropped_by source_rate) > FLOOD / 2))" 1
finish
