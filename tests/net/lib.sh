# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a network test says, in TAP, and its traffic. The network itself is scripts/testbed.sh's.

# shellcheck source=../../scripts/testbed.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/testbed.sh"

HELPERS=${HELPERS:-$ROOT/build/tests/net}
WIRE=$HELPERS/wire.bpf.o

test_number=0
test_failures=0

# --- TAP ---------------------------------------------------------------------------------------
ok() {
	test_number=$((test_number + 1))
	echo "ok $test_number - $1"
}

not_ok() {
	test_number=$((test_number + 1))
	test_failures=$((test_failures + 1))
	echo "not ok $test_number - $1"
	shift
	[ $# -eq 0 ] || printf '# %s\n' "$@"
}

# check NAME COMMAND...: the command must succeed.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* failed: $output"; fi
}

# check_equal NAME GOT EXPECTED
check_equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', expected '$3'"; fi
}

# check_fails NAME STATUS PATTERN COMMAND...: must exit with STATUS and say PATTERN.
check_fails() {
	local name=$1 status=$2 pattern=$3 output got
	shift 3
	output=$("$@" 2>&1)
	got=$?
	if [ "$got" -ne "$status" ]; then
		not_ok "$name" "exit status $got, expected $status: $output"
	elif ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$name" "said '$output', expected /$pattern/"
	else
		ok "$name"
	fi
}

# check_share NAME GOT WEIGHT TOTAL: within 3 standard deviations of a binomial distribution
# of $FLOWS.
check_share() {
	local verdict
	verdict=$(awk -v n="$2" -v w="$3" -v t="$4" -v flows=$FLOWS 'BEGIN {
		p = w / t
		z = (n - flows * p) / sqrt(flows * p * (1 - p))
		good = z >= -3 && z <= 3
		printf "%d flows, expected %.0f: %s3 standard deviations (%.2f)\n", n, flows * p,
			good ? "within " : "beyond ", z
	}')
	case $verdict in
	*within*) ok "$1: $verdict" ;;
	*) not_ok "$1" "$verdict" ;;
	esac
}

finish() {
	echo "1..$test_number"
	[ "$test_failures" -eq 0 ]
	exit
}

# --- networks that are more than a star ----------------------------------------------------------
# add_router NAME: it forwards.
add_router() {
	add_namespace "$1"
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# connect A DEVICE-A B DEVICE-B NUMBER MTU: network 10.2.NUMBER.0, .1 for A and .2 for B.
connect() {
	add_link "$1" "$2" "$3" "$4" "$6"
	in_ns "$1" ip addr add "10.2.$5.1/24" dev "$2"
	in_ns "$3" ip addr add "10.2.$5.2/24" dev "$4"
	in_ns "$1" ip addr add "fd00:0:2:$5::1/64" dev "$2" nodad
	in_ns "$3" ip addr add "fd00:0:2:$5::2/64" dev "$4" nodad
}

# let_in NAMESPACE DEVICE: frames that native XDP sends to it arrive (README, limits).
let_in() { in_ns "$1" ip link set dev "$2" xdp obj "$WIRE" sec xdp.frags; }

# --- traffic -----------------------------------------------------------------------------------
# servers NODES PORT...: see server.c; node I answers as "nodeI" and logs its flows.
servers() {
	local nodes=$1 i
	shift
	for ((i = 1; i <= nodes; i++)); do
		in_background "node$i" "$HELPERS/server" "$i" "$TMP/node$i.log" "$@"
	done
	for ((i = 1; i <= nodes; i++)); do
		wait_for 5 grep -q ready "$TMP/node$i.log" || exit 1
	done
}

# flows_at I PROTO PORT: how many flows node I's server has seen.
flows_at() { grep -cx "$2 $3" "$TMP/node$1.log"; }

forget_flows() {
	local log
	for log in "$TMP"/node*.log; do : >"$log"; done
}

# connections_at I PORT: how many TCP connections are open at node I now.
connections_at() { in_ns "node$1" ss -Hnt state established "sport = :$2" | wc -l; }

# decapsulated_at I: how many packets node I took out of its tunnels.
decapsulated_at() {
	bpftool -j map dump pinned "$PIN-node$1/node_counters" |
		jq '[.[].formatted.values[].value.packets] | add'
}

# short_flows PROTO VIP PORT COUNT [ENDING [FIRST-PORT]]: what became of them is in $TMP/short.
short_flows() {
	in_ns client "$HELPERS/short_flows" "$1" "$2" "$3" "$4" "${THREADS:-8}" "${5:-close}" "${@:6}" \
		>"$TMP/short"
}

# start_long_flows NAME PROTO VIP PORT COUNT PERIOD-MS: waits until all have had an answer. What
# becomes of them is in $TMP/NAME; the process id is in $long_pid.
start_long_flows() {
	local name=$1
	shift
	in_background client "$HELPERS/long_flows" "$@" "$TMP/$name"
	long_pid=$!
	if wait_for 10 grep -qx "open $4" "$TMP/$name"; then
		ok "$4 long flows of $1"
	else
		not_ok "$4 long flows of $1" "$(cat "$TMP/$name")"
	fi
}

stop_long_flows() {
	kill -TERM "$1"
	wait "$1"
}

# value NAME KEY: a number out of what the clients wrote; 0 when it is not there.
value() { awk -v key="$2" '$1 == key { n = $2 } END { print n + 0 }' "$TMP/$1"; }

# check_unharmed WHAT NAME: no flow of those was hurt in any way.
check_unharmed() {
	local key got=""
	for key in resets timeouts wrong failed; do got="$got$key $(value "$2" "$key") "; done
	check_equal "$1" "$got" "resets 0 timeouts 0 wrong 0 failed 0 "
}

generation() { lb status --json | jq .generation; }
