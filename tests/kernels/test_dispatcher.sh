#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The balancer between other XDP programs, in libxdp's dispatcher: each sees what the one before it
# passes on. Needs a kernel that lets one program replace a function of another.
. "$(dirname "$0")/../net/lib.sh"

COUNTER=$ROOT/build/tests/kernels/count.bpf.o

# The namespace goes, what libxdp pins does not.
trap 'in_ns lb xdp-loader unload c0 --all >/dev/null 2>&1; cleanup' EXIT

# chain: "PRIORITY:NAME..." of what runs on c0, as xdp-loader sees it.
chain() {
	in_ns lb xdp-loader status c0 | awk '$1 == "=>" { printf "%s%s:%s", s, $2, $3; s = " " }'
}

program_at() { in_ns lb xdp-loader status c0 | awk -v p="$1" '$1 == "=>" && $2 == p { print $4 }'; }
add_counter() { in_ns lb xdp-loader load -P "$1" c0 "$COUNTER"; }

# frames PRIORITY: how many the counter there has seen.
frames() {
	local map
	map=$(bpftool -j prog show id "$(program_at "$1")" | jq '.map_ids[0]')
	bpftool -j map dump id "$map" | jq '[.[].formatted.values[].value] | add'
}

taken() { lb stats --json | jq '.services[0].packets'; }
between() { echo $(($(frames 10) - $(frames 90) - $(taken))); }

# unexplained: frames that only the counter in front saw and that the balancer did not take, read
# until no frame comes in between.
unexplained() {
	local now last=""
	for _ in 1 2 3 4 5 6 7 8; do
		now=$(between)
		[ "$now" != "$last" ] || break
		last=$now
	done
	echo "$now"
}

# works NAME: both nodes answer, and every frame that the balancer takes, no other, ends with it.
works() {
	local before first
	before=$(unexplained)
	first=$(frames 10)
	short_flows tcp "$VIP" 80 40
	check_equal "$1: 40 flows" "$(value short ok)" 40
	check_equal "$1: both nodes" "$(($(value short node1) > 5 && $(value short node2) > 5))" 1
	check_equal "$1: the counter before it sees them" "$(($(frames 10) - first >= 120))" 1
	check_equal "$1: the counter behind it does not" "$(unexplained)" "$before"
}

# passes NAME PRIORITY...: what is not ours is seen by all of these.
passes() {
	local name=$1 priority
	local -A before
	shift
	for priority in "$@"; do before[$priority]=$(frames "$priority"); done
	check "$name: ping" in_ns client ping -qc 10 -i 0.01 -W 2 10.0.0.1
	for priority in "$@"; do
		check_equal "$name: seen at $priority" \
			"$(($(frames "$priority") - before[$priority] >= 10))" 1
	done
}

network 2
servers 2 80
check "load" lb load
service web 80 tcp ipip 2

check "a counter" add_counter 10
check_equal "it is alone" "$(chain)" "10:count"
check "attach behind it" lb attach c0
check_equal "xdp-loader sees both" "$(chain)" "10:count 50:lb"
check_equal "status says how" "$(lb status --json | jq -r '.attached[0].way')" dispatcher
check "a counter behind both" add_counter 90
check_equal "xdp-loader sees all" "$(chain)" "10:count 50:lb 90:count"
works "between"
passes "between" 10 90

old=$(program_at 50)
check "replace the program" lb load
check_equal "it is another" "$(($(program_at 50) != old))" 1
check_equal "in its place" "$(chain)" "10:count 50:lb 90:count"
works "replaced"

check "detach" lb detach c0
check_equal "the others stay" "$(chain)" "10:count 90:count"
passes "detached" 10 90
check "they go" in_ns lb xdp-loader unload c0 --all

check "attach first" lb attach c0
check_equal "in a dispatcher" "$(chain)" "50:lb"
check "a counter joins" add_counter 10
check "and another" add_counter 90
check_equal "before and behind" "$(chain)" "10:count 50:lb 90:count"
works "first"
check "unload" lb unload
check_equal "unloaded: the others stay" "$(chain)" "10:count 90:count"
passes "unloaded" 10 90
finish
