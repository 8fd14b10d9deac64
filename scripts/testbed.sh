# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A network of namespaces, for the demo and for tests: client -- lb -- node 1..N, each link a veth
# pair of its own. To be sourced.
#
#   client  10.0.0.2, fd00:0:0:0::2      VIPs are routed to lb
#   lb      10.0.0.1 on c0, 10.0.I.1 on nI (IPv6: fd00:0:0:I::1)
#   node I  10.0.I.2 on eth0 (IPv6: fd00:0:0:I::2), VIPs on lo, default route to lb
#
# Addresses are private to the namespaces, and names carry the process id, so that two of these do
# not meet. Everything is removed at the end, also after a failure or a signal.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SLUICE=${SLUICE:-$ROOT/build/sluice}
ID=sl$$
PIN=/sys/fs/bpf/$ID
TMP=
VIP=192.0.2.1
VIP6=2001:db8::1

declare -a test_namespaces=() test_pids=() test_pins=("$PIN")

cleanup() {
	local pid namespace pin
	trap '' INT TERM HUP PIPE
	trap - EXIT
	for pid in "${test_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${test_pids[@]}"; do
		timeout 2 tail --pid="$pid" -s 0.05 -f /dev/null 2>/dev/null || kill -9 "$pid" 2>/dev/null
	done
	for namespace in "${test_namespaces[@]}"; do
		# What those that were killed leave behind; its namespace is ours alone.
		for pid in $(ip netns pids "$namespace" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
		ip netns del "$namespace" 2>/dev/null
	done
	for pin in "${test_pins[@]}" "$PIN"-node*; do
		[ -d "$pin" ] && { "$SLUICE" --pin "$pin" unload 2>/dev/null || rm -rf "$pin"; }
	done
	rm -rf "$TMP" "/run/$ID" # where a daemon that was killed leaves its sockets
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP PIPE
TMP=$(mktemp -d)

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
	test_namespaces+=("$ID-$1") # first, so that a signal finds nothing unlisted
	ip netns add "$ID-$1" || exit 1
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

# add_node I [ROUTER]: a node with the VIPs on lo and our node program on eth0, at lb or ROUTER.
add_node() {
	local i=$1 router=${2:-lb}
	add_namespace "node$i"
	add_link "node$i" eth0 "$router" "n$i"
	in_ns "node$i" ip addr add "10.0.$i.2/24" dev eth0
	in_ns "node$i" ip addr add "fd00:0:0:$i::2/64" dev eth0 nodad
	in_ns "$router" ip addr add "10.0.$i.1/24" dev "n$i"
	in_ns "$router" ip addr add "fd00:0:0:$i::1/64" dev "n$i" nodad
	# What nodes tell clients: their segments must fit the link with another header around them.
	in_ns "node$i" ip route add default via "10.0.$i.1" advmss 1400
	in_ns "node$i" ip -6 route add default via "fd00:0:0:$i::1" advmss 1400
	in_ns "node$i" ip addr add "$VIP/32" dev lo
	in_ns "node$i" ip addr add "$VIP6/128" dev lo nodad
	in_ns "node$i" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" attach eth0 --role node >/dev/null || exit 1
}

# service NAME PORT PROTO FORWARD NODES [VIP [OPTION...]]: with one backend "bI" on each node.
service() {
	local name=$1 port=$2 proto=$3 forward=$4 nodes=$5 vip=${6:-$VIP} i address
	lb service add "$name" --vip "$vip" --port "$port" --proto "$proto" --forward "$forward" \
		"${@:7}" || exit 1
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
