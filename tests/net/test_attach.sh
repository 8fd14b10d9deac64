#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every way onto a device and off it again, next to what others do there.
. "$(dirname "$0")/lib.sh"

attachment() { lb status --json | jq -c '.attached[] | [.device, .role, .mode, .way]'; }
program_id() { lb status --json | jq '.attached[0].program_id'; }

# works NAME: flows come through, by the program and not by the stack.
works() {
	local before
	before=$(decapsulated_at 1)
	short_flows tcp "$VIP" 80 20
	check_equal "$1: 20 flows" "$(value short ok)" 20
	check_equal "$1: by way of the program" "$(($(decapsulated_at 1) - before >= 60))" 1
}

# loader_says DEVICE: what xdp-loader sees there.
loader_says() { in_ns lb xdp-loader status "$1" | awk -v device="$1" '$1 == device { print $2, $3 }'; }

network 2
servers 1 80
check_fails "attach before load" 1 "nothing is loaded" lb attach c0
check "load" lb load
service web 80 tcp ipip 1
service dns 80 udp ipip 1

# Alone or in libxdp's dispatcher, as the kernel allows.
check "attach" lb attach c0
check_equal "attach: status shows it" "$(attachment | sed 's/dispatcher/link/')" \
	'["c0","lb","native","link"]'
works "attach"
check "attach again" lb attach c0
check "detach" lb detach c0

check "attach alone" lb attach c0 --alone
check_equal "status shows it" "$(attachment)" '["c0","lb","native","link"]'
check_equal "so does xdp-loader" "$(loader_says c0)" "lb native"
works "alone"
check "attach alone again" lb attach c0 --alone
check "detach from alone" lb detach c0
check_equal "detached: status shows nothing" "$(attachment)" ""
check_equal "detached: nor does xdp-loader" "$(loader_says c0)" "<No XDP"
check_fails "detach again" 1 "c0 runs no XDP program" lb detach c0

check "attach by ip link" in_ns lb ip link set dev c0 xdp pinned "$PIN/lb"
check_equal "ip link: status shows it" "$(attachment)" '["c0","lb","native","ip link"]'
check_equal "ip link: so does xdp-loader" "$(loader_says c0)" "lb native"
works "ip link"
old=$(program_id)
check "ip link: load again" lb load
check_equal "ip link: another program" "$(($(program_id) != old))" 1
works "ip link, loaded again"
check "ip link: detach" lb detach c0
check_equal "ip link: nothing is left" "$(attachment)" ""

check "attach by ip link, off by ip link" in_ns lb ip link set dev c0 xdp pinned "$PIN/lb"
check "off" in_ns lb ip link set dev c0 xdp off
check_equal "off: status shows nothing" "$(attachment)" ""

check "generic mode" lb attach c0 --mode generic --alone
check_equal "generic: status shows it" "$(attachment)" '["c0","lb","generic","link"]'
check_equal "generic: so does xdp-loader" "$(loader_says c0)" "lb skb"
works "generic"
check_fails "generic: native is refused" 1 "c0 .*generic mode" lb attach c0 --mode native
check "generic: detach" lb detach c0
check "generic by ip link" in_ns lb ip link set dev c0 xdpgeneric pinned "$PIN/lb"
check_equal "generic by ip link: status shows it" "$(attachment)" '["c0","lb","generic","ip link"]'
works "generic by ip link"
check "generic by ip link: detach" lb detach c0

attach_two() { lb attach c0 --alone && lb attach n2 --alone; }
check "two devices" attach_two
check_equal "two devices: status shows both" "$(attachment | sort | tr -d '\n')" \
	'["c0","lb","native","link"]["n2","lb","native","link"]'
check "two devices: detach one" lb detach n2

# Not a packet may get lost while the program is replaced, be it ours or for the stack.
start_long_flows stream udp "$VIP" 80 1 1
stream_pid=$long_pid
in_background client ping -qi 0.002 -W 2 10.0.0.1 >"$TMP/ping"
ping_pid=$!
old=$(program_id)
replace_often() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do lb load || return 1; done
	lb attach c0 --alone
}
check "replace the program 11 times" replace_often
check_equal "another program runs" "$(($(program_id) != old))" 1
check_equal "by the same link" "$(attachment)" '["c0","lb","native","link"]'
kill -INT "$ping_pid"
wait "$ping_pid"
stop_long_flows "$stream_pid"
check "no ping was lost meanwhile" grep -q " 0% packet loss" "$TMP/ping"
check "many went" awk '/transmitted/ { exit $1 < 100 }' "$TMP/ping"
check_unharmed "no datagram of a flow was lost meanwhile" stream
check_equal "of many" "$(($(value stream ok) > 100))" 1
works "replaced"
check "detach before the foreign one" lb detach c0

# A program of somebody else's: the node program of another instance stands for it.
foreign=${PIN}-foreign
test_pins+=("$foreign")
check "a foreign program" in_ns lb "$SLUICE" --pin "$foreign" attach c0 --role node
foreign_id=$(in_ns lb ip -j link show c0 | jq '.[0].xdp.prog.id')
check_fails "foreign: attach is refused, with its name" 1 \
	"c0 already runs the XDP program $foreign_id \(node\)" lb attach c0
check_fails "foreign: so is detach, with a way to remove it" 1 \
	"c0 runs no XDP program of ours; .* is $foreign_id; .bpftool link detach id [0-9]+. removes it" \
	lb detach c0
check_equal "foreign: it still runs" \
	"$(in_ns lb ip -j link show c0 | jq '.[0].xdp.prog.id')" "$foreign_id"
check_equal "foreign: it is not shown as ours" "$(attachment)" ""
check "foreign: its owner detaches it" in_ns lb "$SLUICE" --pin "$foreign" detach c0
check "foreign: by ip link" in_ns lb ip link set dev c0 xdpgeneric pinned "$foreign/node"
check_fails "foreign by ip link: detach is refused, with a way to remove it" 1 \
	"c0 runs no XDP program of ours; .* .ip link set dev c0 xdpgeneric off. removes it" lb detach c0
check "foreign by ip link: that removes it" in_ns lb ip link set dev c0 xdpgeneric off
check_fails "foreign by ip link: it is gone" 1 "c0 runs no XDP program$" lb detach c0
check "foreign: its owner unloads it" in_ns lb "$SLUICE" --pin "$foreign" unload

check_fails "no such device" 1 "nonesuch" lb attach nonesuch
check_fails "no such device to detach" 1 "nonesuch" lb detach nonesuch
check_fails "bad mode" 2 "native or generic" lb attach c0 --mode fast
check_fails "bad role" 2 "lb or node" lb attach c0 --role cook

check "attach, then unload" lb attach c0
check "unload" lb unload
check_equal "unloaded: no XDP on the device" "$(loader_says c0)" "<No XDP"
check "unloaded: nothing is pinned" test ! -e "$PIN"
check_fails "unload again" 1 "nothing is loaded" lb unload
check "the balancer's stack still answers" in_ns client ping -qc 1 -W 2 10.0.0.1
finish
