#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Load shedding: while all nodes are hot, services of class P2 take no new flows, then those of P1;
# P0 does, and what is established goes on. It ends with the heat, and with the daemon.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

configure() {
	cat >"$TMP/sluice.yaml" <<-YAML
		load: {flows_per_cpu: 4096, backends_max: 64}
		control: {publish_ms: 100}
		health: {check: none}
		sources: {unix: $TMP/report.sock}
		weights:
		  slow_start_ms: 0
		  constants: [shed.rise_ms=200, shed.fall_ms=200, shed.forget_ms=60000, age.stale_s=60]
		services:
		  - {name: first, vip: $VIP, port: 80, proto: tcp, forward: ipip, priority: P0,
		     backends: [{name: a1, address: 10.0.1.2, node: node-1}, {name: a2, address: 10.0.2.2, node: node-2}]}
		  - {name: second, vip: $VIP, port: 81, proto: tcp, forward: ipip, priority: P1,
		     backends: [{name: b1, address: 10.0.1.2, node: node-1}, {name: b2, address: 10.0.2.2, node: node-2}]}
		  - {name: third, vip: $VIP6, port: 82, proto: tcp, forward: ipip, priority: P2,
		     backends: [{name: c1, address: 10.0.1.2, node: node-1}, {name: c2, address: 10.0.2.2, node: node-2}]}
	YAML
}

# heat CPU: what both nodes say of themselves from now on.
heat() {
	printf '[{"node_id": "node-1", "cpu_percent": %s}, {"node_id": "node-2", "cpu_percent": %s}]' \
		"$1" "$1" >"$TMP/new" && mv "$TMP/new" "$TMP/report"
}

start_reports() {
	in_background lb bash -c 'while sleep 0.5; do "$@"; done' reports \
		"$SLUICE" --pin "$PIN" report send "$TMP/report" --unix "$TMP/report.sock" >/dev/null 2>&1
}

# shed NAME: how many hundredths of its new flows, as `service list` shows it.
shed() { lb service list --json | jq ".[] | select(.service == \"$1\") | .shed_percent | if . then round else . end"; }
shed_within() { [ "$(shed "$1")" -ge "$2" ] && [ "$(shed "$1")" -le "$3" ]; }

# check_becomes_shed NAME SERVICE AT-LEAST [AT-MOST]
check_becomes_shed() {
	if wait_for 20 shed_within "$2" "$3" "${4-$3}"; then ok "$1"; else not_ok "$1" "$(shed "$2")"; fi
}

# check_new NAME VIP PORT ANSWERED: of four new flows.
check_new() {
	short_flows tcp "$2" "$3" 4
	check_equal "$1" "$(value short ok)" "$4"
}

drops() { lb stats --json | jq '.drops[] | select(.reason == "shed") | .packets'; }

network 2
servers 2 80 81 82
configure
start_daemon "the daemon starts"
lb attach c0 >/dev/null
let_in client eth0

heat 40
start_reports
sleep 2
check_equal "nothing is shed: P1" "$(shed second)" 0
check_equal "P2" "$(shed third)" 0
check_equal "P0 never is" "$(shed first)" null
check_new "and P2 takes new flows" "$VIP6" 82 4
start_long_flows long tcp "$VIP6" 82 10 200

heat 90
check_becomes_shed "hot nodes: half of P2's flows" third 40 50
check_equal "none of P1's" "$(shed second)" 0
check "which is said" said 'service third \(P2\): its nodes are [0-9]+ % full'

heat 100
check_becomes_shed "full nodes: all of P2's flows" third 100
check_becomes_shed "and of P1's" second 95 100
check_new "P0 takes all new flows" "$VIP" 80 4
check_new "P2 none" "$VIP6" 82 0
check_equal "each is a drop with its reason" "$([ "$(drops)" -ge 8 ] && echo yes)" yes

heat 30
check_becomes_shed "cool again: P2 is not shed any more" third 0
check_becomes_shed "nor is P1" second 0
check_new "and takes new flows" "$VIP6" 82 4

heat 100
check_becomes_shed "hot again: all is shed" third 100
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
check_becomes_shed "the daemon is killed: it ends by itself" third 0
check_new "new flows pass" "$VIP6" 82 4
stop_long_flows "$long_pid"
check_unharmed "established flows never noticed" long

finish
