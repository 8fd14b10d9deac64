#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command is a process of its own: what one did, the next sees, as a table and as JSON.
. "$(dirname "$0")/lib.sh"

# query COMMAND... JQ-FILTER
query() { lb "${@:1:$#-1}" --json | jq -cr "${@:$#}"; }

# check_keys NAME FILTER KEY... -- COMMAND...: the object that FILTER picks has those keys and no others.
check_keys() {
	local name=$1 filter=$2 keys=()
	shift 2
	while [ "$1" != -- ]; do
		keys+=("$1")
		shift
	done
	shift
	check_equal "$name has its keys" "$(lb "$@" --json | jq -cr "$filter | keys | join(\" \")")" \
		"$(printf '%s\n' "${keys[@]}" | LC_ALL=C sort | paste -sd ' ')"
}

network 2
check "load" lb load
check_equal "nothing yet: services" "$(query service list .)" "[]"
check_equal "nothing yet: a hint" "$(lb service list)" \
	"no services yet; \`sluice service add\` makes one"
check_equal "nothing yet: backends" "$(query backend list .)" "[]"
check_equal "nothing yet: weights" "$(query weight show .weights)" "[]"
check_equal "nothing yet: generation" "$(query status .generation)" 0

service web 80 tcp ipip 2
check "a service with every option" lb service add dns --vip "$VIP6" --port any --proto udp \
	--forward dsr --slots 8192 --local-count off
check "one with all that TCP has" lb service add shop --vip "$VIP" --port 8080 --proto tcp \
	--forward gue --mss 1400
check "one with all that UDP has" lb service add quic --vip "$VIP" --port 443 --proto udp --idle 30 \
	--quic-server-id-bytes 2
check "and its backends" lb backend add quic q1 --address 10.0.1.2 --server-id 0A07
check "of which one has no server id" lb backend add quic q2 --address 10.0.2.2
check "a backend with every option" lb backend add dns far --address fd00:0:0:2::2 --node edge-2 \
	--region cn-beijing-1 --weight 7 --state drain
check_equal "services" "$(query service list 'map(del(.slots))')" '[{"service":"dns","vip":"2001:db8::1","port":0,"proto":"udp","forward":"dsr","backends":1,"local_count":false,"mss_bytes":null,"idle_s":60,"quic_server_id_bytes":null,"priority":"P0","shed_percent":null},{"service":"quic","vip":"192.0.2.1","port":443,"proto":"udp","forward":"dsr","backends":2,"local_count":true,"mss_bytes":null,"idle_s":30,"quic_server_id_bytes":2,"priority":"P0","shed_percent":null},{"service":"shop","vip":"192.0.2.1","port":8080,"proto":"tcp","forward":"gue","backends":0,"local_count":true,"mss_bytes":1400,"idle_s":null,"quic_server_id_bytes":null,"priority":"P0","shed_percent":null},{"service":"web","vip":"192.0.2.1","port":80,"proto":"tcp","forward":"ipip","backends":2,"local_count":true,"mss_bytes":null,"idle_s":null,"quic_server_id_bytes":null,"priority":"P0","shed_percent":null}]'
check_equal "slots" "$(query service list 'map(.slots)')" "[8192,4096,4096,4096]"
mac=$(in_ns node2 ip -j link show eth0 | jq -r ".[0].address")
check_equal "the backend" "$(query backend list dns 'map(del(.id))')" \
	'[{"service":"dns","backend":"far","address":"fd00:0:0:2::2","node":"edge-2","region":"cn-beijing-1","base_weight":7,"state":"drain","next_hop":"resolved","mac":"'"$mac"'","device":"n2","vlan":null,"mtu_bytes":1600,"server_id":null}]'
check_equal "server ids" "$(query backend list quic 'map([.backend, .server_id])')" \
	'[["q1","0a07"],["q2",null]]'
check_equal "a generation for each change" "$(generation)" 9
check_equal "columns without anything in them are left out" \
	"$(lb backend list web | head -n 1 | grep -cE 'VLAN|SERVER-ID')" 0

# What the packet path is told by keys: VIPs and server ids.
keyed() {
	bpftool -j map dump pinned "$PIN/vips" | jq -c 'map(.formatted.value) | sort'
	bpftool -j map dump pinned "$PIN/server_ids" | jq -c 'map(.formatted.value.backend)'
}
id_of() { query backend list "$1" ".[] | select(.backend == \"$2\") | .id"; }
check_equal "VIPs and server ids" "$(keyed)" \
	'[{"tcp_port":0,"udp_port":0,"protocols":2,"spare":0},{"tcp_port":20480,"udp_port":47873,"protocols":3,"spare":0}]'"
[$(id_of quic q1)]"
check "another server id" lb backend set quic q1 --server-id 0102
check "its old one for the other" lb backend set quic q2 --server-id 0a07
check_equal "both are there, in any order" "$(keyed | tail -n 1 | jq -c sort)" \
	"$(jq -nc "[$(id_of quic q1), $(id_of quic q2)] | sort")"
check "none" lb backend set quic q2 --server-id none
check_equal "one is left" "$(keyed | tail -n 1)" "[$(id_of quic q1)]"
check "options can be changed" lb service set shop --forward ipip --mss 0 --local-count off
check_equal "and are" "$(query service list '.[2] | [.forward, .mss_bytes, .local_count, .port]')" \
	'["ipip",null,false,8080]'
check "one alone" lb service set quic --idle 5
check_equal "the others stay" "$(query service list '.[1] | [.idle_s, .quic_server_id_bytes]')" "[5,2]"

# A writer that was killed: it said that it was at work on those maps, and left its entries.
was=$(keyed)
stray() {
	local bytes
	bytes=$(bpftool -j map lookup pinned "$PIN/control" key hex 0 0 0 0 |
		jq -r '.value | .[24:32] = ["0", "0", "0", "0", "0", "0", "0", "0"] | join(" ")')
	# shellcheck disable=SC2086
	bpftool map update pinned "$PIN/control" key hex 0 0 0 0 value hex $bytes
	bpftool map update pinned "$PIN/vips" key hex 0 0 0 0 0 0 0 0 0 0 ff ff c6 33 64 7 \
		value hex 0 50 0 0 1 0
	bpftool map delete pinned "$PIN/server_ids" key hex \
		"$(printf %x "$(bpftool -j map dump pinned "$PIN/server_ids" | jq '.[0].formatted.key.service')")" \
		0 1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
}
check "an unfinished writer" stray
check_equal "left its mark" "$([ "$(keyed)" != "$was" ] && echo yes)" yes
check "the next command, of whatever" lb weight set web b1=100
check_equal "puts it right" "$(keyed)" "$was"
check "without those services" eval "lb service del shop && lb service del quic"
check_equal "their entries are gone" "$(keyed | paste -sd ' ')" \
	'[{"tcp_port":20480,"udp_port":0,"protocols":1,"spare":0},{"tcp_port":0,"udp_port":0,"protocols":2,"spare":0}] []'

check_keys "service list" '.[0]' service vip port proto forward backends slots local_count \
	mss_bytes idle_s quic_server_id_bytes priority shed_percent -- service list
check_keys "backend list" '.[0]' service backend address node region base_weight state next_hop mac \
	device vlan mtu_bytes server_id id -- backend list
check_keys "weight show" . generation weights -- weight show
check_keys "a weight" '.weights[0]' service backend state base_weight weight bias \
	wanted_share_percent slot_share_percent reason -- weight show web
check_keys "status" . version pin abi generation region services backends open_flows \
	flow_entries_per_cpu cpus flows_found_on_another_cpu gue_port icmp_rate \
	echo_replies too_big_errors attached unreachable -- status
check_keys "stats" . services backends drops -- stats
check_keys "stats of a service" '.services[0]' service packets bytes new_flows -- stats
check_keys "stats of a backend" '.backends[0]' service backend packets bytes new_flows established \
	syn_retransmits open_flows -- stats
check_keys "stats of a drop reason" '.drops[0]' reason packets bytes meaning -- stats
check_keys "stats with an interval" '.services[0]' service packets bytes new_flows packets_per_s \
	bytes_per_s new_flows_per_s -- stats --interval 1 --count 1
check_keys "attach" . device role mode way program_id replaced note -- attach c0
check_keys "status, attached" '.attached[0]' device role mode way program_id -- status

before_generation=$(generation)
check "weights by hand" lb weight set web b1=30 b2=10.5
check_equal "the weights" "$(query weight show web '[.weights[] | .weight, .reason]')" \
	'[30,"set by hand",10.5,"set by hand"]'
check_equal "the shares they want" "$(query weight show web '[.weights[].wanted_share_percent * 10 | round]')" \
	"[741,259]"
check_equal "the shares by the slots" "$(query weight show web '[.weights[].slot_share_percent | round]')" \
	"[74,26]"
check_equal "as a table" "$(lb weight show web | awk 'NR > 2 { print $1, $2, $3, $5 }' | paste -sd ,)" \
	"web b1 up 30.0,web b2 up 10.5"

now=$(date -u +%FT%TZ)
cat >"$TMP/reports" <<END
[{"node_id": "node-1", "cpu_percent": 71, "latency_ms": 62, "last_seen": "$now"},
 {"node_id": "node-2", "cpu_percent": 20, "latency_ms": 3, "last_seen": "$now"}]
END
before=$(lb weight show)
check_keys "weight plan" '.[0]' service backend node old_weight new_weight old_share_percent \
	new_share_percent changed reason -- weight plan "$TMP/reports"
plan='[.[] | select(.service == "web") | .old_weight, .new_weight, .changed]'
check_equal "plan" "$(query weight plan "$TMP/reports" "$plan")" "[30,35,true,10.5,100,true]"
check_equal "plan changes nothing" "$(lb weight show)" "$before"
check "apply from standard input" eval "lb weight apply - <'$TMP/reports'"
check_equal "applied" "$(query weight show web '[.weights[].weight]')" "[35,100]"
check_equal "with reasons" "$(query weight show web '.weights[0].reason')" \
	"latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7"
check_equal "all of it at once" "$(generation)" $((before_generation + 2))
echo '{"node_id": "node-1", "cpu_percent": 50, "latency_ms": 0}' >"$TMP/report"
check "one report, another policy" lb weight apply "$TMP/report" --policy probe
check_equal "its node follows, the other stays" "$(query weight show web '[.weights[].weight]')" "[50,100]"
echo '[{"node_id": "stranger", "cpu_percent": 50}]' >"$TMP/report"
check_equal "a node nobody knows is warned of" "$(lb weight apply "$TMP/report" 2>&1)" \
	"sluice: warning: no backend lives on node stranger, its report changes nothing"
check_equal "and changes nothing" "$(query weight show web '[.weights[].weight]')" "[50,100]"

check_equal "an unreachable backend is warned of" \
	"$(lb backend add web lost --address 198.51.100.9 2>&1 | grep -c 'web/lost at 198.51.100.9')" 1
check_equal "status names it" "$(query status '[.unreachable[] | .service, .backend]')" '["web","lost"]'
check "a way to it" in_ns lb ip route add 198.51.100.0/24 via 10.0.2.2
check "resolve" lb backend resolve web lost
check_equal "status is content" "$(query status .unreachable)" "[]"
check "delete the service" lb service del web
check_equal "it is gone, with its backends" "$(query backend list 'map(.backend)')" '["far"]'

check_equal "help has every command" "$(lb --help | grep -c '^  [a-z]')" 30
for command in load unload check attach detach "service add" "service set" "service del" "service list" \
	"backend add" "backend set" "backend del" "backend list" "backend resolve" \
	"weight set" "weight plan" "weight apply" "weight show" status stats run "report send" "report watch"; do
	# shellcheck disable=SC2086
	check "help of $command" grep -q "^usage: sluice $command" <(lb $command --help)
done
check "version" grep -qE '^sluice [0-9]+\.[0-9]+\.[0-9]+$' <(lb --version)
finish
