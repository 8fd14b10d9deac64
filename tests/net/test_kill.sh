#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 in the middle of an apply, again and again: the state is the old one or the new one, never
# a mixture, the next apply works, and traffic does not notice.
. "$(dirname "$0")/lib.sh"

ROUNDS=240
BACKENDS=200 # of each of two services
RANDOM=1

# One configuration of many backends, whose addresses are all on the two nodes.
many_backends() {
	local service i
	echo "load: {flows_per_cpu: 4096, backends_max: 1024}"
	echo "services:"
	for service in 80 81; do
		echo "  - {name: s$service, vip: $VIP, port: $service, proto: tcp, forward: dsr, backends: ["
		for ((i = 0; i < BACKENDS; i++)); do
			echo "    {name: b$i, address: 10.0.$((i % 2 + 1)).$((i + 10)), node: node-$i},"
		done
		echo "  ]}"
	done
}

# reports ODD EVEN: what all the nodes say, CPU in percent.
reports() {
	jq -nc "[range($BACKENDS) | {node_id: \"node-\(.)\", latency_ms: 0, cpu_percent: (if . % 2 == 1 then $1 else $2 end)}]"
}

# All weights in use, as a fresh process sees them; biases go with them.
weights() { lb weight show --json | jq -c '[.weights[] | [.service, .backend, .weight, .bias]]'; }

# What the packet path reads, straight from the map: in the order of the ids.
packet_path() {
	bpftool -j map dump pinned "$PIN/weights" | jq -c --argjson half $(($(generation) % 2)) \
		'[.[].formatted | select(.key > 0).value.half[$half].bias | select(. > 0)]'
}

network 2
for i in 1 2; do
	for ((k = 10 + i - 1; k < 10 + BACKENDS; k += 2)); do echo "addr add 10.0.$i.$k/24 dev eth0"; done |
		in_ns "node$i" ip -batch -
done
many_backends >"$TMP/sluice.yaml"
check "load" lb load --config "$TMP/sluice.yaml"
check "attach" lb attach c0
servers 2 80 81
reports 20 60 >"$TMP/a"
reports 60 20 >"$TMP/b"
for vector in b a; do
	check "apply $vector" lb weight apply "$TMP/$vector" --policy probe
	weights >"$TMP/weights_$vector"
	packet_path >"$TMP/path_$vector"
done
check "they differ" eval "! cmp -s '$TMP/weights_a' '$TMP/weights_b' && ! cmp -s '$TMP/path_a' '$TMP/path_b'"

start=$(date +%s%N)
lb weight apply "$TMP/a" --policy probe
usual_us=$((($(date +%s%N) - start) / 1000))
start_long_flows flows tcp "$VIP" 80 20 20
in_use=a
mixed=0 wrong_path=0 refused=0 lost=0
declare -A outcomes=()

# One round: kill an apply of the other vector, then see which one is in use.
one_round() {
	local next=b outcome
	[ $in_use = b ] && next=a
	if [ $((RANDOM % 2)) = 0 ]; then
		set -- start $((RANDOM % usual_us))
	else
		set -- write $((RANDOM % 40))
	fi
	outcome=$("$HELPERS/kill_writer" "$PIN" "$@" "$SLUICE" --pin "$PIN" weight apply "$TMP/$next" \
		--policy probe) || refused=$((refused + 1))
	outcome=${outcome:-no outcome}
	[ "$1" = write ] && outcomes["$outcome when it wrote"]=$((${outcomes["$outcome when it wrote"]:-0} + 1))
	outcomes[$outcome]=$((${outcomes[$outcome]:-0} + 1))
	[ "$outcome" = "killed before" ] || in_use=$next
	weights | cmp -s - "$TMP/weights_$in_use" || mixed=$((mixed + 1))
}

for ((round = 1; round <= ROUNDS; round++)); do
	one_round
	[ $mixed = 0 ] || break
	[ $((round % 20)) = 0 ] || continue
	packet_path | cmp -s - "$TMP/path_$in_use" || wrong_path=$((wrong_path + 1))
	for vector in a b; do
		lb weight apply "$TMP/$vector" --policy probe || refused=$((refused + 1))
		in_use=$vector
	done
	weights | cmp -s - "$TMP/weights_b" || refused=$((refused + 1))
	short_flows tcp "$VIP" 81 20
	lost=$((lost + 20 - $(value short ok)))
done

summary=
for outcome in "${!outcomes[@]}"; do summary="$summary, ${outcomes[$outcome]} $outcome"; done
echo "# $ROUNDS rounds: ${summary#, }"
check_equal "none of $ROUNDS applies left a mixed state or a wrong one" "$mixed in round $round" \
	"0 in round $((ROUNDS + 1))"
check_equal "nor a packet path that differs from it" $wrong_path 0
check_equal "the next apply always worked" $refused 0
check_equal "many were killed before the flip" $((${outcomes["killed before"]:-0} >= 20)) 1
[ "$(nproc)" = 1 ] || check_equal "some while it wrote" \
	$((${outcomes["killed before when it wrote"]:-0} >= 5)) 1
check_equal "some after it" $((${outcomes["killed after"]:-0} > 0)) 1
stop_long_flows "$long_pid"
check_unharmed "connections went on throughout" flows
check_equal "all of them" "$(value flows open)" 20
check_equal "new ones came through as well" $lost 0
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
