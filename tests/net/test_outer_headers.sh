#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What tshark reads in the frames between the balancer and its nodes: headers as they must be, no
# wrong checksum, nothing malformed. "wire" is a router there, at which they are captured.
#
#   client -- lb -- wire -- node 1, node 2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/capture.sh"

FLOWS=20
PORTS=4001-4008
# tshark is not to guess what is in there.
PLAIN=(-n -d "udp.port==$PORTS,data" -d "tcp.port==$PORTS,data" -d "udp.port==19523,data")

path() {
	network 0
	add_router wire
	connect lb w0 wire w0 0 1600
	in_ns wire ip route add default via 10.2.0.1
	in_ns wire ip -6 route add default via fd00:0:2:0::1
	for i in 1 2; do
		in_ns lb ip route add "10.0.$i.0/24" via 10.2.0.2
		in_ns lb ip -6 route add "fd00:0:0:$i::/64" via fd00:0:2:0::2
		add_node "$i" wire
	done
	# For what comes by DSR.
	in_ns wire ip route add "$VIP" via 10.0.1.2
	in_ns wire ip -6 route add "$VIP6" via fd00:0:0:1::2
	let_in wire w0
}

# Datagrams of odd and even lengths, with DSCP 10 and ECT(0), each answered.
datagrams() {
	in_ns client python3 - "$1" "$2" $FLOWS <<'PYTHON'
import socket, sys
address, port, flows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ipv6 = ":" in address
for flow in range(flows):
    udp = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(2)
    if ipv6:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 10 << 2 | 2)
    else:
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 10 << 2 | 2)
    udp.bind(("", 30000 + flow))
    udp.connect((address, port))
    for size in (1, 2, 3, 64, 501, 1000 + flow):
        udp.send(bytes(range(7, 7 + size % 200)) * (1 + size // 200))
        udp.recv(65536)
PYTHON
}

# columns FILE FILTER FIELD...: what there is of them; of a field that comes more than once, outermost
# first with a comma between.
columns() {
	local file=$1 filter=$2
	shift 2
	read_frames "$file" "${PLAIN[@]}" -Y "$filter" -T fields -E separator=' ' "${@/#/-e}" | sort -u
}

# check_sound NAME FILE: tshark finds nothing wrong.
check_sound() {
	check_equal "$1: no wrong checksum, nothing malformed" "$(count_frames "$2" \
		'_ws.malformed || _ws.expert.severity == "Error" || ip.checksum.status == 0 ||
		 tcp.checksum.status == 0 || udp.checksum.status == 0' "${PLAIN[@]}")" 0
}

# capture NAME VIP PORT FORWARD BACKEND-FAMILY [NODES]: its frames at $TMP/NAME.
capture() {
	local name=$1 vip=$2 port=$3 forward=$4 proto
	for proto in udp tcp; do
		ADDRESS_FAMILY=$5 service "$name-$proto" "$port" "$proto" "$forward" "${6:-1}" "$vip"
	done
	start_capture wire w0 "$TMP/$name"
	check "$name: datagrams" datagrams "$vip" "$port"
	check "$name: a connection" in_ns client "$HELPERS/copy" tcp "$vip" "$port" 50000
	stop_capture "$TMP/$name"
	check_sound "$name" "$TMP/$name"
}

# Of IP: source, destination, TTL, protocol, DSCP, ECN.
IPV4=(ip.src ip.dst ip.ttl ip.proto ip.dsfield.dscp ip.dsfield.ecn)
IPV6=(ipv6.src ipv6.dst ipv6.hlim ipv6.nxt ipv6.tclass.dscp ipv6.tclass.ecn)
OWN=10.2.0.1     # the balancer's
OWN6=fd00:0:2::1 # as tshark writes it
NODE=10.0.1.2
NODE6=fd00:0:0:1::2

# check_headers NAME FILE EXPECTED FIELD...: of the datagrams, all alike.
check_headers() {
	check_equal "$1" "$(columns "$TMP/$2" udp "${@:4}")" "$3"
}

# check_flows NAME FILE FIELD: differs from flow to flow, and is the same in all packets of one; there
# are $FLOWS of datagrams, of which two may have the same by chance, and one of TCP.
check_flows() {
	local different
	different=$(columns "$TMP/$2" "udp || tcp" "$3" | wc -l)
	if [ "$different" -gt $((FLOWS * 3 / 4)) ] && [ "$different" -le $((FLOWS + 1)) ]; then
		ok "$1"
	else
		not_ok "$1" "$different of $((FLOWS + 1)) flows"
	fi
}

# check_gue NAME DIGITS EXPECTED FIELD...: as above, with port, state of the checksum (1: right, 3: there
# is none) and what is before the inner packet, of so many hexadecimal digits.
check_gue() {
	local name=$1 digits=$2
	check_equal "$name: headers" "$(columns "$TMP/$name" "ip.dsfield.dscp == 10 || \
		ipv6.tclass.dscp == 10" "${@:4}" udp.dstport udp.checksum.status udp.payload |
		awk -v digits="$digits" '{ $NF = substr($NF, 1, digits) } 1' | sort -u)" "$3"
	check_flows "$name: source ports" "$name" udp.srcport
	check_equal "$name: of those that nobody registers" \
		"$(count_frames "$TMP/$name" "udp.srcport < 49152")" 0
}

# open_gue NAME BYTES: what is inside, as a capture of its own at $TMP/NAME-inner.
open_gue() {
	check "$1: tunnels opened" \
		editcap -F pcap -C "14:$2" "$TMP/$1" "$TMP/$1-inner"
	check_sound "$1, inside" "$TMP/$1-inner"
}

path
check "load" lb load
check "attach" lb attach c0
servers 2 4001 4002 4003 4004 4005 4006 4007 4008
mac=$(in_ns wire ip -j link show w0 | jq -r ".[0].address")

capture dsr4 "$VIP" 4001 dsr 4
check_headers "dsr4: as it came, but for TTL and MAC" dsr4 \
	"$mac 10.0.0.2 $VIP 63 17 10 2" eth.dst "${IPV4[@]}"
capture dsr6 "$VIP6" 4002 dsr 6
check_headers "dsr6: as it came, but for hop limit and MAC" dsr6 \
	"$mac fd00::2 $VIP6 63 17 10 2" eth.dst "${IPV6[@]}"

capture ipip4in4 "$VIP" 4003 ipip 4
check_headers "ipip4in4: headers" ipip4in4 \
	"$OWN,10.0.0.2 $NODE,$VIP 64,63 4,17 10,10 2,2" "${IPV4[@]}"
capture ipip6in6 "$VIP6" 4004 ipip 6
check_headers "ipip6in6: headers" ipip6in6 \
	"$OWN6,fd00::2 $NODE6,$VIP6 64,63 41,17 10,10 2,2" "${IPV6[@]}"
check_flows "ipip6in6: flow label" ipip6in6 ipv6.flow
capture ipip4in6 "$VIP" 4005 ipip 6
check_headers "ipip4in6: headers" ipip4in6 \
	"$OWN6 $NODE6 64 4 10 2 10.0.0.2 $VIP 63 17 10 2" "${IPV6[@]}" "${IPV4[@]}"
check_flows "ipip4in6: flow label" ipip4in6 ipv6.flow
capture ipip6in4 "$VIP6" 4006 ipip 4
check_headers "ipip6in4: headers" ipip6in4 \
	"$OWN $NODE 64 41 10 2 fd00::2 $VIP6 63 17 10 2" "${IPV4[@]}" "${IPV6[@]}"

# GUE is plain UDP to tshark. Two backends, so that the other one is the next hop.
capture gue4in4 "$VIP" 4007 gue 4 2
check_gue gue4in4 24 "$OWN 10.0.1.2 64 17 10 2 19523 3 02040000000000010a000202
$OWN 10.0.2.2 64 17 10 2 19523 3 02040000000000010a000102" "${IPV4[@]}"
open_gue gue4in4 40
check_headers "gue4in4: headers inside" gue4in4-inner "10.0.0.2 $VIP 63 17 10 2" "${IPV4[@]}"

capture gue6in6 "$VIP6" 4008 gue 6 2
check_gue gue6in6 48 \
	"$OWN6 fd00:0:0:1::2 64 17 10 2 19523 1 0529000000000001fd000000000000020000000000000002
$OWN6 fd00:0:0:2::2 64 17 10 2 19523 1 0529000000000001fd000000000000010000000000000002" \
	"${IPV6[@]}"
open_gue gue6in6 72
check_headers "gue6in6: headers inside" gue6in6-inner "fd00::2 $VIP6 63 17 10 2" "${IPV6[@]}"
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
