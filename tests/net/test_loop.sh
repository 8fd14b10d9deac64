#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The closed loop, shown: nodes that get slow, hot, lossy, dead or silent, under requests at a fixed
# rate. Two pools of four nodes have their troubles at the same time: "calm" keeps still for a minute,
# then one of its nodes gets slow, then the daemon is killed, and not one of its requests may fail;
# the nodes of "rough" have one trouble each. "hot" is the same nodes as rough's by another policy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
. "$(dirname "$0")/loop.sh"

VIP_ROUGH=192.0.2.2
VIP_HOT=192.0.2.3
SERVICE_MS=80 # long beside what a busy machine adds
WORKERS=8 # a node can do 100 requests a second
CALM_RATE=240
ROUGH_RATE=120
HOT_RATE=40
ROUGH_S=85
CALM_S=145
STEADY_S=60

weight_of() { of_backend "$1" .weight; }
reason_of() { of_backend "$1" .reason; }

# gets NAME SECONDS BACKEND PATTERN: its reason says so.
reason_says() { reason_of "$1" | grep -qE -- "$2"; }
gets() {
	if wait_for "$2" reason_says "$3" "$4"; then
		ok "$1: $(reason_of "$3")"
	else
		not_ok "$1" "$3: $(reason_of "$3")" "$(tail -n 20 "$TMP/daemon.log")"
	fi
}

# share NAME I FROM-MS TO-MS: of new flows, percent that node I answered of those that were due then.
share() {
	awk -v node="$2" -v from="$3" -v to="$4" '$1 >= from && $1 < to && $4 == "ok" {
		all++; if ($3 == node) its++ } END { printf "%.1f", all ? 100 * its / all : -1 }' "$TMP/$1"
}

# check_between NAME VALUE MIN MAX
check_between() {
	if awk -v v="$2" -v min="$3" -v max="$4" 'BEGIN { exit !(v >= min && v <= max) }'; then
		ok "$1: $2"
	else
		not_ok "$1" "got $2, expected $3 to $4"
	fi
}

new_flows_of() { lb stats --json | jq ".backends[] | select(.backend == \"$1\").new_flows"; }

configure() {
	daemon_yaml
	cat <<-YAML
		health: {interval_ms: 500, timeout_ms: 400, fall: 3, rise: 2}
		services:
	YAML
	service_yaml calm "$VIP" 80 true 1 2 3 4
	service_yaml rough "$VIP_ROUGH" 80 true 5 6 7 8
	policy=edge service_yaml hot "$VIP_HOT" 80 true 5 6 7 8
}

# lossy I PERCENT: of what node I sends to the client, the first router loses so much. Its reports and
# what it receives get through.
lossy() {
	in_ns lb nft -f - <<-END
		table ip loss {
			chain forward {
				type filter hook forward priority 0
				iifname "n$1" numgen random mod 100 < $2 drop
			}
		}
	END
}

# watch_weights: of calm, each second, a line each.
watch_weights() {
	local until=$((SECONDS + STEADY_S))
	while [ "$SECONDS" -lt "$until" ]; do
		lb weight show --json | jq -r '.weights[] | select(.service == "calm") |
			"\(.backend) \(.weight)"'
		sleep 1
	done >"$TMP/steady"
}

# spread BACKEND: standard deviation of what was watched, percent of the mean.
spread() {
	awk -v name="$1" '$1 == name { n++; sum += $2; squares += $2 * $2 }
		END { mean = sum / n; variance = squares / n - mean * mean
		      printf "%.2f", 100 * sqrt(variance > 0 ? variance : 0) / mean }' "$TMP/steady"
}

network 8
prepare_loop
for i in 5 6 7 8; do
	in_ns "node$i" ip addr add "$VIP_ROUGH/32" dev lo
	in_ns "node$i" ip addr add "$VIP_HOT/32" dev lo
done
for i in 1 2 3 4; do start_worker_server "$i" $WORKERS 100 $SERVICE_MS uniform || exit 1; done
for i in 5 6 7 8; do start_worker_server "$i" $WORKERS 20000 $SERVICE_MS uniform || exit 1; done
set_service_ms 8 $((SERVICE_MS * 2))
configure >"$TMP/sluice.yaml"
start_daemon "the daemon is ready"
for i in 1 2 3 4; do start_agent "$i" calm "$VIP" || not_ok "agent $i" "$(cat "$TMP/agent$i.log")"; done
for i in 5 6 7 8; do
	start_agent "$i" rough "$VIP_ROUGH" || not_ok "agent $i" "$(cat "$TMP/agent$i.log")"
done
start_requests calm "$VIP" 80 $CALM_RATE $CALM_S 20
calm_pid=$requests_pid
start_requests rough "$VIP_ROUGH" 80 $ROUGH_RATE $ROUGH_S 20
start_requests hot "$VIP_HOT" 80 $HOT_RATE $ROUGH_S 20
sleep 10

# --- the rough pool's troubles, while the calm pool is watched ---------------------------------------
watch_weights &
watcher_pid=$!
test_pids+=("$watcher_pid")

echo 0.95 >"$TMP/server6/cpu"
lossy 5 5
kill_hard "${agent_pid[8]}"
silent_ms=$(now_ms)
silent_weight=$(weight_of rough-8)
check_between "the slower node 8 has less than its base weight" "$silent_weight" 20 90
becomes "3. a CPU at 95 % shuts node 6 out" 6 hot-6 .weight 0
hot_ms=$(now_ms)
gets "2. 5 % loss on node 5's link" 20 rough-5 'congested, [0-9]+% resent: x0.5'
check_between "3. and adaptive weights give it less" "$(weight_of rough-6)" 10 95
rm "$TMP/server6/cpu"
calm_again_ms=$(now_ms)
# Of which "edge" takes half for its latency, as of all the others.
becomes "3. the CPU is well again, and so is node 6" 8 hot-6 .weight 50
gets "5. without an agent, node 8's weight freezes" 15 rough-8 'report [0-9.]+ s old: frozen at x'
in_ns lb nft delete table ip loss
kill_hard "${server_pid[7]}"
killed_ms=$(now_ms)
# 3 checks in a row fail, each within its timeout; and a publication.
becomes "4. a killed server is out within the health interval" 3 rough-7 .state failed
out_ms=$(now_ms)
flows_before=$(new_flows_of rough-7)
sleep 4
flows_after=$(new_flows_of rough-7)
check_equal "4. no new connection is sent there" "${flows_after:-no answer}" "${flows_before:-none}"
start_worker_server 7 $WORKERS 20000 $SERVICE_MS uniform
becomes "4. the server is back, and so is node 7" 10 rough-7 .state up
check "2. the link is clean again, and node 5 recovers" wait_for 30 eval '! reason_says rough-5 congested'
gets "5. after 30 s node 8 has its base weight" 25 rough-8 'report [0-9.]+ s old: base weight'
check_between "5. which is 100, but for the deadband" "$(weight_of rough-8)" 95 105
echo "# killed server out after $((out_ms - killed_ms)) ms; base weight $(($(now_ms) - silent_ms)) ms after the agent's death"
wait $watcher_pid
for i in 1 2 3 4; do
	check_between "7. steady: deviation of node $i's weight, percent" "$(spread "calm-$i")" 0 5
done

# --- slow ----------------------------------------------------------------------------------------
slow_ms=$(now_ms)
set_service_ms 1 $((SERVICE_MS * 4))
sleep 13
well_ms=$(now_ms)
set_service_ms 1 $SERVICE_MS
sleep 34
after_ms=$(now_ms)

# --- the daemon dies -----------------------------------------------------------------------------
for round in 1 2; do
	kill_hard "$daemon_pid"
	sleep 2
	start_daemon "6. killed under load, the daemon starts again ($round)"
	sleep 1
done
wait "$calm_pid"

check_between "1. share of the slow node within 6 s" "$(share calm 1 $((slow_ms + 6000)) "$well_ms")" 0 12.5
check_between "1. and 30 s after it is well" \
	"$(share calm 1 $((well_ms + 30000)) "$after_ms")" 20 30
check_between "3. new flows at the hot node" "$(share hot 6 $((hot_ms + 1000)) "$calm_again_ms")" 0 0
check_equal "6. none of $((CALM_RATE * CALM_S)) requests failed" \
	"$(grep -c ' ok$' "$TMP/calm") $(grep -v ' ok$' "$TMP/calm" | head -n 5)" "$((CALM_RATE * CALM_S)) "
finish
