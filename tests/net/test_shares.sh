#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# New flows land on backends as the weights say, and the counters say what the servers saw.
. "$(dirname "$0")/lib.sh"

FLOWS=2000

# counter SERVICE BACKEND KEY
counter() {
	lb stats --json |
		jq ".backends[] | select(.service == \"$1\" and .backend == \"$2\") | .$3"
}

service_counter() { lb stats --json | jq ".services[] | select(.service == \"$1\") | .$2"; }

no_open_flows() {
	[ "$(lb stats --json | jq "[.backends[] | select(.service == \"$1\").open_flows] | add")" = 0 ]
}

# shares SERVICE PROTO PORT FIRST-SOURCE-PORT WEIGHT...: fixed ports, so that the outcome is, too.
shares() {
	local name=$1 proto=$2 port=$3 first=$4 i seen total=0 sum=0
	shift 4
	for i in "$@"; do total=$((total + i)); done
	forget_flows
	short_flows "$proto" "$VIP" "$port" $FLOWS close "$first"
	check_equal "$name: every flow was answered" "$(value short ok)" $FLOWS
	for i in 1 2 3; do
		seen=$(flows_at "$i" "$proto" "$port")
		sum=$((sum + seen))
		check_share "$name: weight ${!i} of $total" "$seen" "${!i}" "$total"
		check_equal "$name: stats count b$i's flows as its server does" \
			"$(counter "$name" "b$i" new_flows)" "$seen"
	done
	check_equal "$name: stats count the service's flows" \
		"$(service_counter "$name" new_flows)" "$sum"
	check_equal "$name: no flow is counted twice" "$sum" $FLOWS
}

network 3
check "load" lb load
check "attach" lb attach c0
servers 3 80 81
service ipip 80 tcp ipip 3 "$VIP" --local-count off
service dsr 81 tcp dsr 3 "$VIP" --local-count off
service udp 80 udp ipip 3 "$VIP" --local-count off
check "weights of ipip" lb weight set ipip b1=10 b2=20 b3=70
check "weights of dsr" lb weight set dsr b1=0.5 b2=0.3 b3=0.2
for weight in "b1 25" "b2 25" "b3 200"; do
	# shellcheck disable=SC2086
	set -- $weight
	check "base weight $2 of udp/$1" lb backend set udp "$1" --weight "$2"
done

shares ipip tcp 80 10000 10 20 70
for i in 1 2 3; do
	check_equal "ipip: stats count b$i's packets as its node does" \
		"$(counter ipip "b$i" packets)" "$(decapsulated_at "$i")"
done
check "ipip: no flow stays open" wait_for 5 no_open_flows ipip

shares dsr tcp 81 20000 5 3 2
check "dsr: no flow stays open" wait_for 5 no_open_flows dsr

shares udp udp 80 30000 25 25 200

check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
