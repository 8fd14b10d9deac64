#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What requests feel when one of eight nodes gets four times slower, through Sluice and through others:
# open-loop HTTP at 70 % of what the nodes can do, a connection each, in network namespaces of its own.
# Needs root; leaves nothing behind. Exit status 0 only if everything that was asked for was measured.

LOOP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../common.sh
. "$LOOP/../common.sh"

BENCH=bench-loop
OPTIONS="contestants"

NODES=8
WORKERS=8
SERVICE_MS=50
SLOWER=4
LOAD_PERCENT=70
RATE=$((NODES * WORKERS * 1000 / SERVICE_MS * LOAD_PERCENT / 100))
TIMEOUT_S=60
GOAL=1.15 # times the p99 before
CONTESTANTS="sluice-static nftables haproxy-roundrobin haproxy-leastconn sluice-counts sluice-weights sluice"

contestants=$CONTESTANTS
warm_s=8 before_s=15 during_s=30 after_s=15
settle_s=10 # of "during", that "settled" leaves out

usage() {
	cat <<-END
		usage: run.sh [OPTION]...
		  --quick              half the time: about 6 minutes for all instead of 10
		  --contestants LIST   "$CONTESTANTS"
		  --json
	END
}

quick() { warm_s=6 before_s=8 during_s=16 after_s=10 settle_s=6; }

check_option() {
	local name
	for name in $2; do
		[[ " $CONTESTANTS " == *" $name "* ]] || refuse "--contestants: '$name' is not known, see --help"
	done
}

take_options "$@"

# shellcheck source=../../../scripts/testbed.sh
. "$LOOP/../../../scripts/testbed.sh"
HELPERS=$ROOT/build/tests/net
# shellcheck source=../../net/loop.sh
. "$LOOP/../../net/loop.sh"
# shellcheck source=../live/contestants.sh
. "$LOOP/../live/contestants.sh"
# shellcheck source=contestants.sh
. "$LOOP/contestants.sh"

check_machine "$SLUICE" "$HELPERS/worker_server" "$HELPERS/open_loop"

# window NAME PART FROM-MS TO-MS: a sample of the requests that were due then.
window() {
	awk -v from="$3" -v to="$4" '$1 >= from && $1 < to { print $2, $3, $4 }' "$TMP/$1" |
		sort -n | awk -v name="$1" -v part="$2" '
		$3 == "ok" { us[n++] = $1; slow += $2 == 1 }
		$3 != "ok" { failed++ }
		function at(p) { return n ? us[int((n - 1) * p)] / 1000 : 0 }
		END {
			printf "{\"name\": \"%s\", \"part\": \"%s\", \"requests\": %d, ", name, part, n + failed
			printf "\"failed\": %d, \"p50_ms\": %.1f, \"p99_ms\": %.1f, ", failed, at(0.5), at(0.99)
			printf "\"slow_node_percent\": %.2f}\n", n ? 100 * slow / n : 0
		}' >>"$TMP/samples"
}

# tell TEXT: progress, and a line each for those who keep a log.
tell() {
	progress "$1"
	[ -t 2 ] || echo "$1" >&2
}

# tell_phase NAME TEXT
tell_phase() {
	local left_s=$(((${#names[@]} - measured) * (warm_s + before_s + during_s + after_s + 15)))
	tell "$((measured + 1)) of ${#names[@]}, $1: $2 (about $((left_s / 60 + 1)) min left)"
}

# tell_result NAME: what is there to be seen if something fails later.
tell_result() {
	tell "$(jq -rs --arg name "$1" 'map(select(.name == $name)) |
		"\($name): p99, ms: \(map("\(.part) \(.p99_ms | round)") | join(", "))"' "$TMP/samples")"
	[ ! -t 2 ] || echo >&2
}

measure() {
	local slow_ms well_ms end_ms
	tell_phase "$1" "before"
	start_requests "$1" "$VIP" 80 "$RATE" $((warm_s + before_s + during_s + after_s)) "$TIMEOUT_S"
	sleep $((warm_s + before_s))
	tell_phase "$1" "node 1 is slow"
	slow_ms=$(now_ms)
	set_service_ms 1 $((SERVICE_MS * SLOWER))
	sleep "$during_s"
	tell_phase "$1" "after, until all have their answers"
	well_ms=$(now_ms)
	set_service_ms 1 "$SERVICE_MS"
	wait "$requests_pid" || fail "$1: the generator failed"
	unset 'test_pids[-1]' # the last is the contestant's again
	end_ms=$((well_ms + after_s * 1000))
	window "$1" before $((slow_ms - before_s * 1000)) "$slow_ms"
	window "$1" during "$slow_ms" "$well_ms"
	window "$1" settled $((slow_ms + settle_s * 1000)) "$well_ms"
	window "$1" after "$well_ms" "$end_ms"
	tell_result "$1"
}

print_summary() {
	local slow_share fields row='%-19s %14s %14s %14s %14s %13s %10s %7s\n'
	slow_share=$(awk -v n=$NODES -v slower=$SLOWER 'BEGIN {
		printf "%.1f", 100 / slower / (n - 1 + 1 / slower) }')
	# shellcheck disable=SC2059 # one format, for the head and the rows
	printf "$row" "p50 / p99, ms" before during settled after "to before" "slow node" failed
	while IFS=$'\t' read -r -a fields; do
		# shellcheck disable=SC2059
		printf "$row" "${fields[@]}"
	done < <(jq -r 'def ms: "\(.p50_ms | round) / \(.p99_ms | round)";
		def ratio: . * 100 | round / 100;
		.contestants[] | [.name, (.before, .during, .settled, .after | ms),
		"\(.p99_during_to_before | ratio) \(.p99_settled_to_before | ratio)",
		"\(.settled.slow_node_percent * 10 | round / 10) %", .failed] | @tsv' "$TMP/summary")
	cat <<-END

		One of $NODES nodes is $SLOWER times slower for $during_s s; each has $WORKERS workers that think
		$SERVICE_MS ms on average (exponentially distributed). $RATE requests a second, $LOAD_PERCENT % of what all
		can do, a connection each; times count from when a request was to start. during: all $during_s s;
		settled: without the first $settle_s s; after: the $after_s s from when the node is well. To before:
		p99 of during and of settled, by that of before. Slow node: its share of the settled
		requests; of what all nodes can do, it can do $slow_share %.
		sluice-static: equal weights, no loop, no local counts; -counts: with those; -weights: the loop
		alone, agents reporting every 2 s; sluice: both, as by default. Nodes answer through the
		balancer's machine in all cases.
	END
	jq -r --argjson goal "$GOAL" 'def judge: if . <= $goal then "met" else "missed" end;
		.contestants[] | select(.name == "sluice") |
		"\nGoal, p99 of sluice at most \($goal) x that before: during \(.p99_during_to_before | judge), "
		+ "settled \(.p99_settled_to_before | judge)."' "$TMP/summary"
}

read -r -a names <<<"$contestants"
measured=0
tell "starting $NODES nodes"
network "$NODES"
prepare_loop
for ((i = 1; i <= NODES; i++)); do
	start_worker_server "$i" "$WORKERS" 100 "$SERVICE_MS" exponential || fail "server $i: $(cat "$TMP/server.log")"
done
for name in "${names[@]}"; do
	"start_${name//-/_}"
	wait_for 10 in_ns client curl -sf -m 5 -o /dev/null "http://$VIP/" || fail "$name does not answer"
	measure "$name"
	"stop_${name//-/_}"
	measured=$((measured + 1))
done

jq -s --arg kernel "$(uname -r)" --argjson rate "$RATE" --argjson nodes "$NODES" \
	--argjson service_ms "$SERVICE_MS" --argjson slower "$SLOWER" '
	{kernel: $kernel, nodes: $nodes, rate: $rate, service_ms: $service_ms, slower: $slower,
	contestants: (reduce .[] as $s ({order: [], by: {}};
		(if .by[$s.name] then . else .order += [$s.name] end)
		| .by[$s.name][$s.part] = ($s | del(.name, .part)))
	| . as $all | .order | map(. as $name | $all.by[$name] | {name: $name} + . + {
		failed: (.before.failed + .during.failed + .after.failed),
		p99_settled_to_before: (.settled.p99_ms / .before.p99_ms),
		p99_during_to_before: (.during.p99_ms / .before.p99_ms)}))}' \
	"$TMP/samples" >"$TMP/summary" || fail "the samples make no summary"
if [ -n "$json" ]; then cat "$TMP/summary"; else print_summary; fi
