# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A network of namespaces for one test: client -- lb -- node 1..N, each link a veth pair of its own.
#
#   client  10.N.0.2, fd00:0:0:0::2      VIPs are routed to lb
#   lb      10.N.0.1 on c0, 10.N.I.1 on nI (IPv6: fd00:0:0:I::1)
#   node I  10.N.I.2 on eth0 (IPv6: fd00:0:0:I::2), VIPs on lo, default route to lb
#
# N is 0: namespaces are private, so tests do not meet. Names carry the process id. Everything is
# removed at the end, also after a failure or a signal.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SLUICE=${SLUICE:-$ROOT/build/sluice}
ID=sl$$
PIN=/sys/fs/bpf/$ID
TMP=$(mktemp -d)
VIP=192.0.2.1
VIP6=2001:db8::1

test_number=0
test_failures=0
declare -a test_namespaces=() test_pids=() test_pins=("$PIN")

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

finish() {
	echo "1..$test_number"
	[ "$test_failures" -eq 0 ]
	exit
}

# --- namespaces --------------------------------------------------------------------------------
cleanup() {
	local pid namespace pin
	trap - EXIT
	trap '' INT TERM
	for pid in "${test_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${test_pids[@]}"; do
		timeout 2 tail --pid="$pid" -f /dev/null 2>/dev/null || kill -9 "$pid" 2>/dev/null
	done
	for namespace in "${test_namespaces[@]}"; do ip netns del "$namespace" 2>/dev/null; done
	for pin in "${test_pins[@]}" "$PIN"-node*; do
		[ -d "$pin" ] && { "$SLUICE" --pin "$pin" unload 2>/dev/null || rm -rf "$pin"; }
	done
	rm -rf "$TMP"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# `ip netns exec` would give a private /sys, where pins are not seen; this does not.
in_ns() {
	local namespace=$ID-$1
	shift
	nsenter --net="/run/netns/$namespace" "$@"
}

# in_background NAMESPACE COMMAND...: its process id is in $!.
in_background() {
	local namespace=$ID-$1
	shift
	nsenter --net="/run/netns/$namespace" "$@" &
	test_pids+=($!)
}

lb() { in_ns lb "$SLUICE" --pin "$PIN" "$@"; }

add_namespace() {
	ip netns add "$ID-$1" || exit 1
	test_namespaces+=("$ID-$1")
	in_ns "$1" ip link set lo up
	in_ns "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

# add_link NS-A DEV-A NS-B DEV-B [MTU]: without checksum offload, see README (limits, veth).
add_link() {
	local a=$1 dev_a=$2 b=$3 dev_b=$4 mtu=${5:-1600}
	ip link add "$dev_a" netns "$ID-$a" mtu "$mtu" type veth \
		peer name "$dev_b" netns "$ID-$b" mtu "$mtu" || exit 1
	in_ns "$a" ip link set "$dev_a" up
	in_ns "$b" ip link set "$dev_b" up
	in_ns "$a" ethtool -K "$dev_a" tx off >/dev/null 2>&1
	in_ns "$b" ethtool -K "$dev_b" tx off >/dev/null 2>&1
}

# network NODES
network() {
	local i
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	add_namespace client
	add_namespace lb
	add_link client eth0 lb c0
	in_ns client ip addr add 10.0.0.2/24 dev eth0
	in_ns client ip addr add fd00:0:0:0::2/64 dev eth0 nodad
	in_ns lb ip addr add 10.0.0.1/24 dev c0
	in_ns lb ip addr add fd00:0:0:0::1/64 dev c0 nodad
	in_ns client ip route add default via 10.0.0.1 advmss 1400
	in_ns client ip -6 route add default via fd00:0:0:0::1 advmss 1400
	in_ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for ((i = 1; i <= $1; i++)); do add_node "$i"; done
}

# add_node I: a node with the VIPs on lo and our node program on eth0.
add_node() {
	local i=$1
	add_namespace "node$i"
	add_link "node$i" eth0 lb "n$i"
	in_ns "node$i" ip addr add "10.0.$i.2/24" dev eth0
	in_ns "node$i" ip addr add "fd00:0:0:$i::2/64" dev eth0 nodad
	in_ns lb ip addr add "10.0.$i.1/24" dev "n$i"
	in_ns lb ip addr add "fd00:0:0:$i::1/64" dev "n$i" nodad
	in_ns "node$i" ip route add default via "10.0.$i.1"
	in_ns "node$i" ip -6 route add default via "fd00:0:0:$i::1"
	in_ns "node$i" ip addr add "$VIP/32" dev lo
	in_ns "node$i" ip addr add "$VIP6/128" dev lo nodad
	in_ns "node$i" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" attach eth0 --role node >/dev/null || exit 1
}

# service NAME PORT PROTO FORWARD NODES [VIP]: with one backend "bI" on each node.
service() {
	local name=$1 port=$2 proto=$3 forward=$4 nodes=$5 vip=${6:-$VIP} i address
	lb service add "$name" --vip "$vip" --port "$port" --proto "$proto" --forward "$forward" ||
		exit 1
	for ((i = 1; i <= nodes; i++)); do
		address=10.0.$i.2
		[ "${ADDRESS_FAMILY:-4}" = 6 ] && address=fd00:0:0:$i::2
		lb backend add "$name" "b$i" --address "$address" --node "node-$i" || exit 1
	done
}

# wait_for SECONDS COMMAND...
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.1
	done
}
