#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What TC measures against what the kernel says: by the socket on a node, and by sequence numbers on
# the router before it, of the same transfers, which lose segments on their last link.
. "$(dirname "$0")/lib.sh"

PORT=8001
CLOSED_PORT=8002
SERVICES=("$VIP:$PORT" "[$VIP6]:$PORT" "$VIP:$CLOSED_PORT")
CONNECTIONS=8
DELAY_MS=40

# veth delivers on the CPU that sends, and segments of one flow that two CPUs send change places.
one_cpu=(taskset -c "$(taskset -cp $$ | grep -oE '[0-9]+' | tail -1)")

# --- measuring -----------------------------------------------------------------------------------
# start_measuring NAME NAMESPACE DEVICE HOOK: its process id is in ${measures[NAME]}.
declare -A measures=()
start_measuring() {
	: >"$TMP/$1"
	in_background "$2" "$HELPERS/measure" "$3" "$4" "${SERVICES[@]}" >"$TMP/$1"
	measures[$1]=$!
	wait_for 10 grep -q ready "$TMP/$1" || exit 1
}

said_end() { [ "$(grep -c '^end$' "$TMP/$1")" -gt "$2" ]; }

# take NAME: what was counted up to now is in $TMP/NAME.now, for value.
take() {
	local before
	before=$(grep -c '^end$' "$TMP/$1")
	kill -USR1 "${measures[$1]}"
	wait_for 5 said_end "$1" "$before" || exit 1
	tac "$TMP/$1" | awk '$1 == "end" && seen++ { exit } { print }' >"$TMP/$1.now"
}

stop_measuring() {
	local name
	for name in "$@"; do
		kill "${measures[$name]}"
		wait "${measures[$name]}"
	done
}

# --- the truth -----------------------------------------------------------------------------------
# kernel COUNTER [NAMESPACE]: of node 1, since it is there.
kernel() { in_ns "${2:-node1}" nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'; }

# sockets KEY: sum of what ss says of node 1's connections.
sockets() {
	in_ns node1 ss -Htin state established "sport = :$PORT" |
		grep -oE "\b$1:[0-9]+" | awk -F: '{ n += $2 } END { print n + 0 }'
}

frames_sent() { in_ns node1 ip -j -s link show eth0 | jq '.[0].stats64.tx.packets'; }

# note_truth: what the kernel has counted so far; truth KEY: how much more since then.
declare -A noted=()
note_truth() {
	noted[again]=$(kernel TcpRetransSegs)
	noted[segments]=$(($(kernel TcpOutSegs) + noted[again]))
	noted[syns_again]=$(kernel TcpExtTCPSynRetrans)
	noted[resets]=$(kernel TcpOutRsts)
	noted[frames]=$(frames_sent)
}

truth() {
	case $1 in
	again) echo $(($(kernel TcpRetransSegs) - noted[again])) ;;
	segments) echo $(($(kernel TcpOutSegs) + $(kernel TcpRetransSegs) - noted[segments])) ;;
	syns_again) echo $(($(kernel TcpExtTCPSynRetrans) - noted[syns_again])) ;;
	resets) echo $(($(kernel TcpOutRsts) - noted[resets])) ;;
	frames) echo $(($(frames_sent) - noted[frames])) ;;
	esac
}

# check_close NAME GOT TRUTH: within 5 %.
check_close() {
	local away=$(($2 - $3))
	if [ $((20 * ${away#-})) -le "$3" ]; then
		ok "$1: $2 of $3"
	else
		not_ok "$1: $2 of $3"
	fi
}

# check_between NAME LOW GOT HIGH
check_between() {
	if [ "$3" -ge "$2" ] && [ "$3" -le "$4" ]; then
		ok "$1: $3"
	else
		not_ok "$1: $3, expected $2 to $4"
	fi
}

# --- the network: client -- lb -- node1, where lb only routes --------------------------------------
# lose RULE: which packets do not arrive at the client.
lose() {
	in_ns client nft -f - <<-END
		flush ruleset
		table inet loss {
			chain arriving {
				type filter hook prerouting priority 0
				tcp sport $PORT $1 drop
			}
		}
	END
}

# Whole GSO packets pass node 1's link, and c0 cuts them behind the TC hook; or there are none.
gso() {
	if [ "$1" = on ]; then
		in_ns node1 ip link set eth0 gso_max_segs 65535
		in_ns node1 ethtool -K eth0 tx on tso on >/dev/null 2>&1
	else
		in_ns node1 ip link set eth0 gso_max_segs 1
	fi
}

# fetch NAME ADDRESS CONNECTIONS BYTES: returns when all has come; the connections stay open.
fetch() {
	: >"$TMP/fetch"
	in_background client "${one_cpu[@]}" "$HELPERS/bulk" fetch tcp "$2" $PORT "$3" "$4" \
		>"$TMP/fetch"
	fetch_pid=$!
	if wait_for 20 grep -q 'done' "$TMP/fetch"; then ok "$1"; else not_ok "$1"; fi
	sleep 0.1 # what is sent again although it arrived
}

end_fetch() {
	kill "$fetch_pid"
	wait "$fetch_pid"
}

# agrees NAME METHOD: with the kernel, on everything that the open connections and what was noted say.
agrees() {
	take "$2"
	check_close "$1, by $2: segments" "$(value "$2.now" segments)" "$(truth segments)"
	check_close "$1, by $2: of data" "$(value "$2.now" data_segments)" "$(sockets data_segs_out)"
	check_close "$1, by $2: sent again" "$(value "$2.now" again_segments)" "$(truth again)"
	check_close "$1, by $2: bytes" "$(value "$2.now" bytes)" "$(sockets bytes_sent)"
	check_close "$1, by $2: bytes sent again" "$(value "$2.now" again_bytes)" \
		"$(sockets bytes_retrans)"
	check_equal "$1, by $2: requests" "$(value "$2.now" response_count)" $CONNECTIONS
	check_between "$1, by $2: us to half of the responses" 32768 \
		"$(value "$2.now" response_p50_us)" 262144
}

# transfer NAME ADDRESS LOSS-PERCENT GSO BYTES: both methods agree with the kernel.
transfer() {
	lose "numgen random mod 100 < $3"
	gso "$4"
	start_measuring socket node1 eth0 any
	start_measuring sequence lb c0 any
	note_truth
	fetch "$1" "$2" $CONNECTIONS "$5"
	if [ "$4" = on ]; then
		check_equal "$1: segments go in larger packets" \
			"$(($(truth frames) < $(truth segments)))" 1
	else
		check_equal "$1: no segments go in larger packets" \
			"$(($(truth frames) >= $(truth segments) - $(truth syns_again)))" 1
	fi
	[ "$3" -eq 0 ] || check_equal "$1: segments are sent again" "$(($(truth again) > 0))" 1
	agrees "$1" socket
	agrees "$1" sequence
	end_fetch
	stop_measuring socket sequence
}

# The queue of a slow link behind the TC hook is the way's length: 50 KB of 8 Mbit/s are 50 ms.
rtt() {
	local method
	lose "numgen random mod 100 < 0"
	in_ns lb tc qdisc replace dev c0 root tbf rate 8mbit burst 4kb limit 50kb
	start_measuring socket node1 eth0 any
	start_measuring sequence lb c0 any
	fetch "slow link" "$VIP" 4 250000
	for method in socket sequence; do
		take $method
		check_between "slow link, by $method: mean of the RTT in us" 10000 \
			"$(value $method.now rtt_mean_us)" 200000
		check_between "slow link, by $method: half of the RTTs in us" 8192 \
			"$(value $method.now rtt_p50_us)" 262144
	done
	end_fetch
	stop_measuring socket sequence
	in_ns lb tc qdisc del dev c0 root
}

# filters PATTERN: how many there are on the node's device.
filters() { in_ns node1 tc filter show dev eth0 egress | grep -c "$1"; }

# Each hook, on the node: SYNs and resets, which belong to no full socket.
handshakes() {
	local hook=$1
	start_measuring socket node1 eth0 "$hook"
	check_equal "$hook: attached by it" "$(head -1 "$TMP/socket")" "ready $hook"
	note_truth
	lose "tcp flags & syn == syn numgen inc mod 2 == 0"
	fetch "$hook: every other SYN-ACK is lost" "$VIP" 4 1000
	end_fetch
	for _ in 1 2 3; do
		in_ns client bash -c "exec 3<>/dev/tcp/$VIP/$CLOSED_PORT" 2>/dev/null
	done
	take socket
	check_equal "$hook: SYN-ACKs sent again" "$(value socket.now syn_again_sent)" \
		"$(truth syns_again)"
	check_equal "$hook: SYN-ACKs were sent again" "$(($(truth syns_again) > 1))" 1
	check_between "$hook: SYNs received again" 1 "$(value socket.now syn_again_received)" 8
	check_equal "$hook: resets sent" "$(value socket.now resets_sent)" 3
	check_equal "$hook: resets of the kernel" "$(truth resets)" 3
	check_equal "$hook: nothing else was sent again" "$(value socket.now again_segments)" \
		"$(truth again)"
	stop_measuring socket
	check_equal "$hook: no filter is left" "$(filters "bpf.*handle")" 0
}

# Connections whose clients leave without having read what came.
aborts() {
	local before
	before=$(kernel TcpOutRsts client)
	start_measuring socket node1 eth0 any
	lose "numgen random mod 100 < 0"
	for _ in 1 2 3; do
		in_ns client bash -c \
			"exec 3<>/dev/tcp/$VIP/$PORT; printf '\1\0\0\0\0\0\0\0' >&3; sleep 0.2"
	done
	take socket
	check_equal "resets received" "$(value socket.now resets_received)" \
		$(($(kernel TcpOutRsts client) - before))
	check_equal "resets were sent" "$(($(kernel TcpOutRsts client) - before >= 3))" 1
	stop_measuring socket
}

# Two at once see the same.
both() {
	start_measuring first node1 eth0 tcx
	start_measuring second node1 eth0 tcx
	fetch "two measure" "$VIP" 2 100000
	take first
	take second
	end_fetch
	check_between "two measure: bytes" 200000 "$(value first.now bytes)" 300000
	check_equal "two measure: the same" "$(grep -v _us "$TMP/second.now")" \
		"$(grep -v _us "$TMP/first.now")"
	stop_measuring first second
}

# in_place NAME: whether packets pass its programs, as it says.
in_place() {
	take "$1"
	value "$1.now" in_place
}

# removed HOOK UNDO...: by someone else, under the eyes of one who measures.
removed() {
	in_ns node1 ip link add gone0 type veth peer name gone1
	start_measuring removed node1 gone0 "$1"
	check_equal "$1: in place" "$(in_place removed)" 1
	in_ns node1 "${@:2}"
	check_equal "$1: not after ${*:2}" "$(in_place removed)" 0
	stop_measuring removed
	in_ns node1 ip link del gone0 2>/dev/null
}

# A filter of someone else, and those of a process that was killed.
leftovers() {
	in_ns node1 tc qdisc add dev eth0 clsact 2>/dev/null
	in_ns node1 tc filter add dev eth0 egress prio 100 protocol all u32 match u32 0 0 classid 1:1
	start_measuring socket node1 eth0 clsact
	kill -9 "${measures[socket]}"
	wait "${measures[socket]}" 2>/dev/null
	check_equal "a killed process leaves its filter" "$(filters "bpf.*handle")" 1
	start_measuring socket node1 eth0 clsact
	check_equal "the next one replaces it" "$(filters "bpf.*handle")" 1
	fetch "after a killed process" "$VIP" 2 100000
	take socket
	check_between "after a killed process: bytes" 200000 "$(value socket.now bytes)" 300000
	end_fetch
	stop_measuring socket
	check_equal "and leaves none" "$(filters "bpf.*handle")" 0
	check_equal "the other's filter stays" "$(filters "u32.*flowid")" 1
	in_ns node1 tc qdisc del dev eth0 clsact
}

network 1
in_ns lb ip route add "$VIP/32" via 10.0.1.2
in_ns lb ip route add "$VIP6/128" via fd00:0:0:1::2
# Lost segments are sent again soon, which keeps this test short.
in_ns node1 ip route change default via 10.0.1.1 advmss 1400 rto_min 10ms
in_ns node1 ip -6 route change default via fd00:0:0:1::1 advmss 1400 rto_min 10ms
in_background node1 "${one_cpu[@]}" "$HELPERS/bulk" serve $PORT $DELAY_MS >"$TMP/bulk"
wait_for 5 grep -q ready "$TMP/bulk" || exit 1

for gso in on off; do
	transfer "IPv4, no loss, GSO $gso" "$VIP" 0 $gso 4000000
	transfer "IPv6, 1 % loss, GSO $gso" "$VIP6" 1 $gso 2000000
	transfer "IPv4, 5 % loss, GSO $gso" "$VIP" 5 $gso 1000000
	transfer "IPv6, 20 % loss, GSO $gso" "$VIP6" 20 $gso 200000
done
rtt
start_measuring socket node1 eth0 any
hook=$(cut -d' ' -f2 "$TMP/socket")
stop_measuring socket
if [ "$hook" = tcx ]; then
	handshakes tcx
	both
	removed tcx ip link del gone0
else
	check_fails "no TCX" 1 "no TCX" in_ns node1 "$HELPERS/measure" eth0 tcx "$VIP"
fi
handshakes clsact
aborts
leftovers
removed clsact tc qdisc del dev gone0 clsact
removed clsact ip link del gone0
finish
