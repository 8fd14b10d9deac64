# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Small frames, as fast as one CPU can: made at the client by generator.c, through the balancer, and
# counted where they arrive. Beside the balancer's modes there are two ceilings: "drop", where they are
# counted at the balancer's own device, and "redirect", where a program that does nothing else sends
# them on. To be sourced after scripts/testbed.sh.
#
#   client  eth0 ---- c0  lb  s0 ---- eth0  sink
#           d0   ---- d0                            for the ceilings

GENERATOR=$ROOT/build/tests/bench/live/generator
FIRST_PORT=8001

mac_of() { in_ns "$1" ip -j link show "$2" | jq -r '.[0].address'; }

is_ceiling() { [ "$1" = drop ] || [ "$1" = redirect ]; }

prepare_frames() {
	local mode port=$FIRST_PORT
	add_namespace sink
	add_link sink eth0 lb s0
	in_ns sink ip addr add 10.0.9.2/24 dev eth0
	in_ns lb ip addr add 10.0.9.1/24 dev s0
	add_link client d0 lb d0
	lb load >/dev/null || fail "sluice load failed"
	for mode in $frames; do
		is_ceiling "$mode" && continue
		lb service add "$mode" --vip "$VIP" --port $((port++)) --proto tcp \
			--forward "$mode" >/dev/null &&
			lb backend add "$mode" sink --address 10.0.9.2 --node sink >/dev/null ||
			fail "frames: no service that forwards by $mode"
	done
	lb attach c0 --mode native --alone >/dev/null || fail "sluice attach failed"
}

remove_frames() {
	lb unload
	in_ns lb ip link del s0
	in_ns lb ip link del d0
	ip netns del "$ID-sink"
	unset 'test_namespaces[-1]'
}

# generate DEVICE BALANCER-DEVICE PORT FLOWS SINK-NAMESPACE SINK-DEVICE [RELAY...]
generate() {
	in_ns client taskset -c "$cpu" "$GENERATOR" "$1" "$(mac_of lb "$2")" "$VIP" "$3" "$4" \
		"${seconds}000" "$(pgrep -x "ksoftirqd/$cpu")" "/run/netns/$ID-$5" "$6" "${@:7}"
}

# measure_frames: a round.
measure_frames() {
	local mode flows port result
	prepare_frames
	for flows in $FRAMES_FLOWS; do
		port=$FIRST_PORT
		for mode in $frames; do
			progress "[round $round of $rounds] frames: $mode, $flows flows"
			case $mode in
			drop) result=$(generate d0 d0 "$FIRST_PORT" "$flows" lb d0) ;;
			redirect)
				result=$(generate d0 d0 "$FIRST_PORT" "$flows" sink eth0 \
					"/run/netns/$ID-lb" d0 s0)
				;;
			*) result=$(generate eth0 c0 $((port++)) "$flows" sink eth0) ;;
			esac || fail "frames: $mode failed"
			jq -ce --arg name "$mode" --argjson flows "$flows" 'select(.arrived > 0) |
				{part: "frames", $name, $flows} + .' <<<"$result" >>"$TMP/samples" ||
				fail "frames: nothing arrived by $mode"
		done
	done
	remove_frames
}
