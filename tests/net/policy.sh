# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the tests of the policy share. To be sourced behind lib.sh.

# client_addresses LAST-BYTE...: more of them, of both families.
client_addresses() {
	local i
	for i; do
		in_ns client ip addr add "10.0.0.$i/24" dev eth0
		in_ns client ip addr add "fd00:0:0:0::$i/64" dev eth0 nodad
	done
}

# curl_says SOURCE ADDRESS:PORT: whether a real client of that address gets an answer.
curl_says() {
	if in_ns client curl -s -o /dev/null --interface "$1" --connect-timeout 0.6 --max-time 5 \
		"http://$2/0"; then
		echo pass
	else
		echo drop
	fi
}

# test_says SOURCE ADDRESS:PORT: what `sluice policy test` answers.
test_says() { lb policy test "$1" "$2/tcp" --json | jq -r '"\(.verdict) by \(.rule)"'; }

# check_verdict NAME SOURCE ADDRESS:PORT VERDICT RULE: curl and `policy test` must both say so.
check_verdict() {
	check_equal "$1" "$(test_says "$2" "$3"), $(curl_says "$2" "$3")" "$4 by $5, ${4%% *}"
}

# The rule set without what it has counted.
rule_set() {
	lb policy list --json | jq -c '[.all_traffic, [.rules[] |
		del(.packets, .bytes, .dropped_packets, .dropped_bytes)]]'
}

# of_rule ID FILTER: what the list says of a rule.
of_rule() { lb policy list --json | jq -r ".rules[] | select(.id == $1) | $2"; }

# start_load: requests over many connections until stop_load.
start_load() {
	in_background client wrk -t 1 -c 8 -d 60 --timeout 5 -H 'Connection: close' \
		"http://$VIP:80/0" >"$TMP/load"
	load_pid=$!
	sleep 0.5
}

# stop_load NAME: no request may have failed.
stop_load() {
	kill -INT "$load_pid"
	wait "$load_pid"
	check_equal "$1" "$(grep -E 'Socket errors|Non-2xx' "$TMP/load")" ""
	check "$1: there were many" awk '/requests in/ { many = $1 >= 100 } END { exit !many }' \
		"$TMP/load"
}
