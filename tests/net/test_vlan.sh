#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# HTTP to services inside VLANs, by 802.1Q and by QinQ. All links of the network are trunks; each
# stack puts its tags on and takes them off by programs in TC (wire.bpf.c), which throw away what
# comes without, so there need be no VLAN device. XDP meets the tags in the frames.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"
. "$(dirname "$0")/capture.sh"

BYTES=1000000

# each_end COMMAND...: of every link, with the namespace and the device.
each_end() {
	local end
	for end in client/eth0 lb/c0 lb/n1 lb/n2 node1/eth0 node2/eth0; do
		"$@" "${end%/*}" "${end#*/}" || exit 1
	done
}

# Tags must be in the frame, as they are where XDP runs on a driver.
tags_in_frames() {
	in_ns "$1" ethtool -K "$2" txvlan off tx-vlan-stag-hw-insert off >/dev/null 2>&1
	in_ns "$1" tc qdisc add dev "$2" clsact
}

# tag COUNT NAMESPACE DEVICE
tag() {
	in_ns "$2" tc filter replace dev "$3" egress prio 1 handle 1 \
		bpf da obj "$WIRE" sec "tc/push$1" &&
		in_ns "$2" tc filter replace dev "$3" ingress prio 1 handle 1 \
			bpf da obj "$WIRE" sec "tc/pop$1"
}

# way NAME URL-HOST PORT: until both nodes have answered.
way() {
	local name=$1 url=http://$2:$3 nodes_seen="" turn
	for ((turn = 0; turn < 30; turn++)); do
		download "$url" || break
		nodes_seen=$nodes_seen$http_node
		case $nodes_seen in *1*2* | *2*1*) break ;; esac
	done
	case $nodes_seen in
	*1*2* | *2*1*) ok "$name: downloads" ;;
	*) not_ok "$name: downloads" "whole ones from: $nodes_seen" ;;
	esac
	check_transfer "$name: upload" upload "$url"
}

# all_ways NAME TAGGED NOT-TAGGED: display filters for what node 1 sees of HTTP.
all_ways() {
	local name=$1 tagged=$2 untagged=$3 http="tcp.port >= 1001 && tcp.port <= 1006"
	start_capture node1 eth0 "$TMP/tags"
	way "$name, DSR, IPv4" "$VIP" 1001
	way "$name, DSR, IPv6" "[$VIP6]" 1002
	way "$name, IPIP, IPv4" "$VIP" 1003
	way "$name, IPIP, IPv6" "[$VIP6]" 1004
	way "$name, GUE, IPv4" "$VIP" 1005
	way "$name, GUE, IPv6" "[$VIP6]" 1006
	stop_capture "$TMP/tags"
	check_equal "$name: packets with the tags" \
		"$(($(count_frames "$TMP/tags" "$http && $tagged") > 100))" 1
	check_equal "$name: and none without" "$(count_frames "$TMP/tags" "$http && $untagged")" 0
}

network 2
each_end tags_in_frames
each_end tag 1
let_in client eth0
check "load" lb load
check "attach" lb attach c0
http_nodes 2 1001 1002 1003 1004 1005 1006
http_content $BYTES >"$TMP/content"
service dsr4 1001 tcp dsr 2
ADDRESS_FAMILY=6 service dsr6 1002 tcp dsr 2 "$VIP6"
service ipip4 1003 tcp ipip 2
ADDRESS_FAMILY=6 service ipip6 1004 tcp ipip 2 "$VIP6"
service gue4 1005 tcp gue 2
ADDRESS_FAMILY=6 service gue6 1006 tcp gue 2 "$VIP6"

all_ways "802.1Q" "vlan.id == 100" "!vlan"
check "802.1Q: ping to the VIP" in_ns client ping -qc 3 -i 0.01 -W 2 "$VIP"
each_end tag 2
all_ways "QinQ" "ieee8021ad.id == 200 && vlan.id == 100" "!(ieee8021ad && vlan)"
check "QinQ: ping to the VIP" in_ns client ping -qc 3 -i 0.01 -W 2 "$VIP6"
check_equal "the balancer answered them" "$(lb status --json | jq .echo_replies)" 6
check_equal "no packet was dropped" "$(lb stats --json | jq '[.drops[].packets] | add')" 0
finish
