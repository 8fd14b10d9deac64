#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A node's agent: what it measures, who gets its reports, and what makes it say no.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

KEY=$TMP/report.key
APPLICATION=$TMP/load.json
CONFIG=$TMP/agent.yaml
PORT=8001

agent() { in_ns node1 "$SLUICE" agent "$@"; }

# start_agent: its process id is in $agent_pid; what it says is in $TMP/agent.
start_agent() {
	in_background node1 "$SLUICE" agent --config "$CONFIG" 2>"$TMP/agent"
	agent_pid=$!
	wait_for 10 grep -q 'reports every' "$TMP/agent" || not_ok "the agent starts" "$(cat "$TMP/agent")"
}

# stop_agent: with what exit status is in $agent_status.
stop_agent() {
	kill "$agent_pid"
	wait "$agent_pid"
	agent_status=$?
}

# receiver NAME NAMESPACE ARGUMENT...: what it receives is in $TMP/NAME.
receiver() {
	in_background "$2" "$ROOT/tests/net/receive_reports.py" "${@:3}" >"$TMP/$1" 2>&1
	wait_for 10 grep -q ready "$TMP/$1" || exit 1
}

# newest NAME FILTER: of the last report there.
newest() { tail -n 1 "$TMP/$1" | jq -c "$2" 2>/dev/null; }

# comes NAME FILTER: a report that satisfies it comes.
shows() { [ "$(newest "$1" "$2")" = true ]; }
comes() { wait_for 10 shows "$@"; }

# check_refused NAME PATTERN: of the configuration on standard input; one line, and nothing else.
check_refused() {
	cat >"$TMP/bad.yaml"
	check_fails "refused: $1" 1 "^sluice: $2" timeout 10 nsenter --net="/run/netns/$ID-node1" \
		"$SLUICE" agent --config "$TMP/bad.yaml"
	check_equal "in one line" "$(timeout 10 "$SLUICE" agent --config "$TMP/bad.yaml" 2>&1 | wc -l)" 1
}

# programs: by which the agent measures, by its links and filters.
programs() {
	grep -hs '^prog_id' "/proc/$agent_pid/fdinfo"/* | awk '{ print $2 }'
	in_ns node1 tc filter show dev eth0 ingress | grep -oP ' id \K[0-9]+'
	in_ns node1 tc filter show dev eth0 egress | grep -oP ' id \K[0-9]+'
}
gone() { [ "$(loaded "$@")" -eq 0 ]; }
loaded() {
	local id
	for id in "$@"; do bpftool prog show id "$id" >/dev/null 2>&1 && echo "$id"; done | wc -l
}

network 1
(umask 077; head -c 32 /dev/urandom | base64 >"$KEY")

# --- once ----------------------------------------------------------------------------------------
once=$(agent --once --json)
check_equal "without a configuration: the host's name" "$(jq -r .node_id <<<"$once")" "$(hostname)"
check_equal "numbers within bounds" "$(jq '.cpu_percent >= 0 and .cpu_percent <= 100 and
	.mem_percent > 0 and .mem_percent < 100 and .load >= 0 and .inflight == 0' <<<"$once")" true
check_equal "nobody measured a latency" "$(jq 'has("latency_ms") or has("rps")' <<<"$once")" false
check_equal "memory as free(1) has it, within 5 %" "$(jq --argjson free "$(free -k | awk '/^Mem:/ {
	print 100 - 100 * $7 / $2 }')" '(.mem_percent - $free) * (.mem_percent - $free) < 25' <<<"$once")" true
check_equal "as a table" "$(agent --once | awk 'NR == 1 { print $1, $2, $3 }')" "NODE CPU MEM"
mkdir "$TMP/cgroup"
echo 100000000 >"$TMP/cgroup/memory.max"
echo 98000000 >"$TMP/cgroup/memory.current"
echo "inactive_file 1000000" >"$TMP/cgroup/memory.stat"
echo "agent: {interval_ms: 100, cgroup: $TMP/cgroup}" >"$TMP/limited.yaml"
check_equal "of a container's limits where there are some" \
	"$(agent -c "$TMP/limited.yaml" --once --json | jq '.mem_percent * 10 | round')" 970
lb load >/dev/null && service web 80 tcp ipip 1
echo "$once" | jq '.node_id = "node-1"' >"$TMP/report.json"
check "it is a report as balancers take them" lb weight plan "$TMP/report.json"

# --- refusals ------------------------------------------------------------------------------------
check_refused "unknown key" "$TMP/bad.yaml:1: agent: got the unknown key" <<<'agent: {nodes: x}'
check_refused "nobody to report to" ".*there is none to report to" <<<'agent: {node: x}'
check_refused "no key" "cannot read $TMP/none: No such file" \
	<<<"agent: {balancers: ['10.0.1.1:9601'], key_file: $TMP/none}"
check_refused "UDP without a key" ".*UDP wants a key_file" <<<"agent: {balancers: ['10.0.1.1:9601']}"
cp "$KEY" "$TMP/open.key"
for mode in 0644 0604 0660 0602; do
	chmod $mode "$TMP/open.key"
	check_refused "key with mode $mode" "$TMP/open.key has mode $mode, expected a key that only" \
		<<<"agent: {balancers: ['10.0.1.1:9601'], key_file: $TMP/open.key}"
done
echo short >"$TMP/short.key"
chmod 0600 "$TMP/short.key"
check_refused "a short key" "$TMP/short.key is no key: expected 16" \
	<<<"agent: {balancers: ['10.0.1.1:9601'], key_file: $TMP/short.key}"
check_refused "a directory for a key" ".*is no file, expected a key" \
	<<<"agent: {balancers: ['10.0.1.1:9601'], key_file: $TMP}"
check_refused "no such device" ".*there is no device .eth9" \
	<<<"agent: {measure: [eth9], balancers: [/nobody]}"
check_fails "neither --config nor --once" 2 "config is needed" agent
check_fails "surplus argument" 2 'unexpected "x"' agent --once x

# --- reports go out --------------------------------------------------------------------------------
cat >"$CONFIG" <<END
region: cn-shanghai-1
services:
  - {name: web, vip: 10.0.1.2, port: $PORT, proto: tcp}
  - {name: web6, vip: "fd00:0:0:1::2", port: $PORT, proto: tcp}
  - {name: idle, vip: 192.0.2.1, port: 80, proto: tcp}
agent:
  node: node-1
  interval_ms: 500
  balancers:
    - 10.0.1.1:9601
    - 10.0.1.77:9601     # not there
    - 203.0.113.1:9601   # no way there, once the default route is gone
    - "[fd00:0:0:1::1]:9601"
    - $TMP/report.sock
    - $TMP/nobody.sock
    - 10.0.1.1:9602
  key_file: $KEY
  measure: [eth0]
  workers: 8
  application_file: $APPLICATION
  application_max_age_ms: 3000
END
check_equal "the configuration is also a balancer's" "$(lb check "$CONFIG")" \
	"$CONFIG: 3 services, 0 backends, no errors"
receiver udp lb "$KEY" 10.0.1.1 9601
receiver udp6 lb "$KEY" fd00:0:0:1::1 9601
receiver unix lb - "$TMP/report.sock"
in_ns node1 ip route del default
start_agent
check "a report comes by UDP" comes udp '.node_id == "node-1" and .region == "cn-shanghai-1"'
check "by UDP over IPv6" comes udp6 '.node_id == "node-1"'
check "to a unix socket" comes unix '.node_id == "node-1" and .workers == 8'
wait_for 10 shows udp '.envelope.sequence >= 4'
check_equal "no datagram is forged" "$(cat "$TMP"/udp "$TMP"/udp6 | grep -c forged)" 0
check_equal "one sender" "$(grep -h envelope "$TMP"/udp "$TMP"/udp6 | jq -r .envelope.sender | sort -u | wc -l)" 1
check_equal "sequences without a gap, from 1" "$(grep envelope "$TMP/udp" | jq -s 'map(.envelope.sequence) |
	. == [range(1; length + 1)]')" true
check_equal "sent just before" "$(newest udp '.envelope.off_ms | . > -2000 and . < 2000')" true
check_equal "the way that is not there is said once" "$(grep -c 'cannot report to 203.0.113.1:9601: Network is unreachable' "$TMP/agent")" 1
check_equal "the socket that is not there too" "$(grep -c "cannot report to $TMP/nobody.sock" "$TMP/agent")" 1
receiver nobody lb - "$TMP/nobody.sock"
check "who comes late gets reports" comes nobody '.node_id == "node-1"'
check "which is said" grep -q "reports to $TMP/nobody.sock leave again" "$TMP/agent"

# --- what TC measures ------------------------------------------------------------------------------
check_equal "no request, no latency" "$(newest udp '(.services | map(.service)) == ["idle", "web", "web6"] and
	(.services | map(.rps)) == [0, 0, 0] and (has("latency_ms") | not)')" true
in_ns node1 ip route add default via 10.0.1.1
in_background node1 "$ROOT/tests/net/slow_server.py" $PORT 50
wait_for 10 in_ns client curl -sm 5 "http://10.0.1.2:$PORT/" || exit 1
# start_requests ADDRESS SECONDS: one after the other, in the background.
start_requests() {
	local until=$((SECONDS + $2))
	while [ "$SECONDS" -lt "$until" ]; do in_ns client curl -sm 2 "http://$1:$PORT/"; done >"$TMP/answers" &
	requests_pid=$!
	test_pids+=("$requests_pid")
}
start_requests 10.0.1.2 4
check "requests are seen" comes udp '.services[1].rps > 0 and .rps == .services[1].rps'
check "their latency is at least what the server thinks" comes udp \
	'.services[1] | .latency_ms >= 45 and .p50_ms >= 30 and .p50_ms <= .p95_ms and .p95_ms <= .p99_ms'
check "inflight follows from both" comes udp \
	'(.rps * .latency_ms / 1000 - .inflight) * 100 | . > -1 and . < 1'
check "a round trip was timed" comes udp '.rtt_ms > 0 and .rtt_deviation_ms >= 0'
check_equal "the other services had none" "$(newest udp '.services | map(select(.service != "web") | .rps) == [0, 0]')" true
wait "$requests_pid"
start_requests "[fd00:0:0:1::2]" 2
check "requests over IPv6" comes udp '.services[2].rps > 0 and .services[2].latency_ms >= 45'

in_ns node1 ip link del eth0
wait_for 10 grep -q 'eth0 is not measured' "$TMP/agent"
add_link node1 eth0 lb n1
in_ns node1 ip addr add 10.0.1.2/24 dev eth0
in_ns lb ip addr add 10.0.1.1/24 dev n1
in_ns node1 ip route add default via 10.0.1.1
check "a device that comes back is measured again" wait_for 10 grep -q 'eth0 is measured again' "$TMP/agent"
start_requests 10.0.1.2 4
check "and its requests are seen" comes udp '.services[1].rps > 0'

# --- what the application says ---------------------------------------------------------------------
echo '{"application_utilization": 0.75, "inflight": 3, "eps": 0.5, "cpu_utilization": 0.125}' >"$APPLICATION"
check "the application's numbers go first" comes udp \
	'.application_utilization == 0.75 and .inflight == 3 and .eps == 0.5 and .cpu_percent == 12.5'
echo '{"application_utilization": 0.8' >"$APPLICATION"
check "a file that is no good is said" wait_for 10 grep -q "$APPLICATION: bad JSON" "$TMP/agent"
check_equal "and the numbers before it stay" "$(newest udp .application_utilization)" 0.75
check "until they are too old" comes udp 'has("application_utilization") | not'
echo '{"application_utilization": 0.5}' >"$APPLICATION.new"
mv "$APPLICATION.new" "$APPLICATION"
check "a new file counts" comes udp '.application_utilization == 0.5'
check "until it is too old" comes udp 'has("application_utilization") | not'
check "which is said" grep -q "$APPLICATION: has not been written for 3000 ms" "$TMP/agent"
touch -d '2 hours ago' "$APPLICATION"
check "touched, it counts again, whatever time its clock shows" comes udp '.application_utilization == 0.5'

# --- and the balancer follows ------------------------------------------------------------------------
cat >"$TMP/sluice.yaml" <<END
sources: {udp: "10.0.1.1:9602", key_file: $KEY}
health: {check: none}
weights: {policy: edge}
$(web_yaml 2)
END
start_daemon "a balancer listens to the agent"
say_latency() { echo "{\"latency_ms\": $1, \"cpu_utilization\": 0.1}" >"$APPLICATION"; }
say_latency 60
becomes "a slow application weighs half" 10 b1 .weight 50
say_latency 5
becomes "a fast one all" 10 b1 .weight 100
check_equal "the balancer refused nothing" "$(daemon_status '.sources.udp |
	.malformed + .forged + .replayed + .untimely + .failed')" 0

# --- the end ---------------------------------------------------------------------------------------
mapfile -t attached < <(programs | sort -u)
check_equal "two programs measure" "$(loaded "${attached[@]}")" 2
check_equal "beside it, --once measures too" "$(agent --config "$CONFIG" --once --json |
	jq '.services | length')" 3
check_equal "and leaves it alone" "$(programs | sort -u | xargs)" "${attached[*]}"
stop_agent
check_equal "SIGTERM ends it" "$agent_status" 0
check "and what it has loaded is gone" wait_for 5 gone "${attached[@]}"
check_equal "it said nothing else" "$(grep -cvE 'reports every|cannot report|leave again|eth0 is|load.json' "$TMP/agent")" 0
finish
