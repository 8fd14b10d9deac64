#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The ingest bench: so many nodes report every 2 s by UDP to one daemon on one CPU, which publishes
# weights each second. In network namespaces of its own; needs root; leaves nothing behind. Exit
# status 0 only if everything that was asked for was measured.

INGEST=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../common.sh
. "$INGEST/../common.sh"

BENCH=bench-ingest
OPTIONS="seconds rates nodes backends services cpu"

usage() {
	cat <<-END
		usage: run.sh [OPTION]...
		  --quick          5 s instead of 10 s
		  --seconds N      a row, 1 to 600
		  --rates LIST     rows: reports a second of all nodes; "$rates"
		  --nodes N        that report, 10 to 1000000; $nodes
		  --backends N     of each service, on as many of these nodes, 3 to 30000; $backends
		  --services N     1 to 16; $services
		  --cpu N          the daemon's; the sender has the next one
		  --json
	END
}

seconds=10
rates="50000 100000"
nodes=100000
backends=1000
services=2
cpu=0
cpus=$(nproc)

quick() { seconds=5; }

check_option() {
	local rate
	case $1 in
	seconds) check_number seconds "$2" 1 600 ;;
	rates) for rate in $2; do check_number rates "$rate" 100 10000000; done ;;
	nodes) check_number nodes "$2" 10 1000000 ;;
	backends) check_number backends "$2" 3 30000 ;;
	services) check_number services "$2" 1 16 ;;
	cpu) check_number cpu "$2" 0 $((cpus - 1)) ;;
	esac
}

take_options "$@"
[ "$backends" -le "$nodes" ] || refuse "--backends is $backends, expected at most the $nodes nodes"
[ $((services * backends)) -le 60000 ] || refuse "$services services of $backends backends are more than 60000"

# shellcheck source=../../../scripts/testbed.sh
. "$INGEST/../../../scripts/testbed.sh"
SENDER=$ROOT/build/tests/bench/ingest/sender
UDP=10.0.0.1:9601

check_machine "$SLUICE" "$SENDER"
[ "$cpus" -ge 2 ] || fail "the daemon and the sender need a CPU each"

# Nodes whose load is watched are in "probed", where a weight says which report it comes from. Those
# in the others have the default policy. All share one next hop, a router's.
write_config() {
	cat <<-YAML
		load: {flows_per_cpu: 4096, backends_max: 65535, slots_max: 8388608}
		control: {attach: [c0], publish_ms: 1000}
		sources: {udp: "$UDP", key_file: $TMP/key}
		health: {check: none}
		services:
	YAML
	awk -v services="$services" -v backends="$backends" -v nodes="$nodes" 'BEGIN {
		for (s = 0; s < services; s++) {
			printf "  - name: %s\n", s ? "adaptive-" s : "probed"
			printf "    vip: 192.0.2.%d\n    port: 80\n    proto: tcp\n    forward: ipip\n", s + 1
			printf "    policy: %s\n    backends:\n", s ? "adaptive" : "probe"
			for (b = 0; b < backends; b++)
				printf "      - {name: b%d, address: 10.100.%d.%d, node: node-%06d}\n",
					b, int(b / 250), b % 250 + 1, int(b * nodes / backends)
		}
	}'
}

# preferred NAMESPACE CPU COMMAND...: in the background, on that CPU, before what others have to do. With
# autogroups niceness counts within a session only, so it gets one of its own, whose niceness is in
# that file.
preferred() {
	in_background "$1" setsid sh -c 'echo -15 >/proc/self/autogroup 2>/dev/null
		exec nice -n -15 taskset -c "$@"' sh "${@:2}"
}

start_daemon() {
	head -c 24 /dev/urandom | base64 >"$TMP/key"
	chmod 600 "$TMP/key"
	write_config >"$TMP/sluice.yaml"
	in_ns lb ip route add 10.100.0.0/16 via 10.0.1.2
	preferred lb "$cpu" "$SLUICE" --pin "$PIN" run --config "$TMP/sluice.yaml" 2>"$TMP/daemon.log"
	daemon_pid=$!
	wait_for 30 grep -q "ready: " "$TMP/daemon.log" ||
		fail "the daemon does not start: $(tail -n 3 "$TMP/daemon.log")"
}

# of_daemon FILTER: of what it says of itself.
of_daemon() { lb status --json | jq -c ".daemon | $1"; }

queue_drops() { in_ns lb nstat -asz UdpRcvbufErrors | awk '/UdpRcvbufErrors/ { print $2 }'; }

# It has read all that it was sent, once its counters stand still.
received() {
	local before now
	now=$(of_daemon .sources.udp.reports)
	until [ "$now" = "${before-}" ]; do
		sleep 0.5
		before=$now
		now=$(of_daemon .sources.udp.reports)
	done
	echo "$now"
}

# measure RATE: a row.
measure() {
	local reports drops
	reports=$(received)
	drops=$(queue_drops)
	preferred client $(((cpu + 1) % cpus)) "$SENDER" $UDP "$TMP/key" "$nodes" "$1" "$seconds" \
		"$PIN" probed "$daemon_pid" >"$TMP/sample"
	wait $! || fail "no figures at $1 a second"
	reports=$(($(received) - reports))
	drops=$(($(queue_drops) - drops))
	[ "$reports" -gt 0 ] || fail "no report arrived: $(tail -n 3 "$TMP/daemon.log")"
	of_daemon "{loop_mean_ms, loop_max_ms, udp: .sources.udp, weights}" >"$TMP/status"
	jq -c --argjson rate "$1" --argjson received "$reports" --argjson drops "$drops" \
		--slurpfile status "$TMP/status" \
		'{rate: $rate} + . + {received: $received, lost: (.sent - $received), queue_drops: $drops,
			received_per_s: (.sent_per_s * $received / .sent),
			cpu_us_per_report: (1e4 * .cpu_percent / .sent_per_s * .sent / $received),
			lost_percent: (100 * (.sent - $received) / .sent)} + {daemon: $status[0]}' \
		"$TMP/sample" >>"$TMP/rows"
}

print_rows() {
	local rate got lost cpu_percent us rss anonymous rate_p p50 p99 max
	printf '%9s %10s %8s %6s %9s %7s %9s %14s %8s %8s %8s\n' "reports/s" received/s lost CPU \
		us/report "RSS MiB" "heap MiB" publications/s "p50 ms" "p99 ms" "max ms"
	while IFS=$'\t' read -r rate got lost cpu_percent us rss anonymous rate_p p50 p99 max; do
		printf '%9d %10.0f %7.2f%% %5.1f%% %9.2f %7.1f %9.1f %14.2f %8.0f %8.0f %8.0f\n' "$rate" \
			"$got" "$lost" "$cpu_percent" "$us" "$rss" "$anonymous" "$rate_p" "$p50" "$p99" "$max"
	done < <(jq -r '.rows[] | [.rate, .received_per_s, .lost_percent, .cpu_percent,
		.cpu_us_per_report, .rss_mib, .anonymous_mib, .publications_per_s, .in_force_p50_ms,
		.in_force_p99_ms, .in_force_max_ms] | @tsv' "$TMP/summary")
	jq -r '"
\(.nodes) nodes, \(.services) services of \(.backends) backends, each on a node that reports; \(.seconds) s a row, kernel \(.kernel).
CPU: all that the daemon does on CPU \(.cpu): socket, HMAC, JSON, weights, publications. Frames become
datagrams on the CPU of the sender. RSS has the pinned maps as well, as far as it has touched them.
p50, p99, max: from sendmmsg() to the flip that puts the weight in force, of \(.rows[0].in_force) reports in the
first row. Weights are published once a second at most, so half a second is the least to expect.
A publication took \([.rows[].daemon.weights.publish_max_ms] | max | round) ms at most, the daemon was late by \([.rows[].daemon.loop_max_ms] | max | round) ms at most. Others had
its CPU for \([.rows[].waited_percent] | max) % of the time while it had work; the sender was late by \([.rows[].sender_behind_max_ms] | max) ms."' \
		"$TMP/summary"
}

network 1
start_daemon
for rate in $rates; do measure "$rate"; done
jq -s --arg kernel "$(uname -r)" --argjson cpu "$cpu" --argjson nodes "$nodes" \
	--argjson backends "$backends" --argjson services "$services" --argjson seconds "$seconds" \
	'{kernel: $kernel, cpu: $cpu, nodes: $nodes, services: $services, backends: $backends,
		seconds: $seconds, rows: .}' "$TMP/rows" >"$TMP/summary" || fail "no summary"
if [ -n "$json" ]; then cat "$TMP/summary"; else print_rows; fi
