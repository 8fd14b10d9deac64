#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon is killed and started again under load, with one backend dead all the while: no request
# fails, no connection moves, weights and failures are taken over from the maps.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

ROUNDS=4

network 3
for i in 1 2 3; do
	in_background "node$i" "$HELPERS/server" "$i" "$TMP/node$i.log" 80
	last_server=$!
	wait_for 5 grep -q ready "$TMP/node$i.log"
done
cat >"$TMP/sluice.yaml" <<YAML
load: {flows_per_cpu: 65536, backends_max: 64}
control: {attach: [c0], publish_ms: 100}
health: {interval_ms: 100, timeout_ms: 90}
weights: {policy: edge}
$(web_yaml 3)
YAML
start_daemon "the daemon loads, attaches and is ready"
echo '[{"node_id": "node-1", "cpu_percent": 70, "latency_ms": 1}]' >"$TMP/report"
check "a report" lb report send "$TMP/report"
becomes "moves a weight" 5 b1 .weight 70

kill -9 "$last_server"
becomes "a server dies, and is out" 5 b3 .state failed
start_long_flows flows tcp "$VIP" 80 20 20
moved=0 failed=0 slow=0
for ((round = 1; round <= ROUNDS; round++)); do
	kill -9 "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	short_flows tcp "$VIP" 80 200
	failed=$((failed + 200 - $(value short ok)))
	: >"$TMP/daemon.log"
	in_background lb "$SLUICE" --pin "$PIN" run -c "$TMP/sluice.yaml" 2>>"$TMP/daemon.log"
	daemon_pid=$!
	for _ in 1 2 3; do
		short_flows tcp "$VIP" 80 200
		failed=$((failed + 200 - $(value short ok)))
	done
	wait_for 10 said 'ready: ' || slow=$((slow + 1))
	[ "$(of_backend b1 .weight) $(of_backend b3 .state)" = "70 failed" ] || moved=$((moved + 1))
done
stop_long_flows "$long_pid"
check_equal "of $((ROUNDS * 800)) requests none failed" $failed 0
check_equal "it always became ready" $slow 0
check_equal "weights and failures were taken over" $moved 0
check_unharmed "connections went on throughout" flows
check_equal "all of them" "$(value flows open)" 20
check_equal "nothing was attached anew" "$(grep -cE 'start: (not attached|c0)' "$TMP/daemon.log")" 0

in_background node3 "$HELPERS/server" 3 "$TMP/node3.log" 80
becomes "the dead one comes back" 5 b3 .state up
finish
