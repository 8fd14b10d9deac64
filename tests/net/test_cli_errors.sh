#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Whatever is wrong: one clear line, exit status 1 (failed) or 2 (usage), and nothing has changed.
. "$(dirname "$0")/lib.sh"

state() { lb status --json | jq 'del(.open_flows)' && lb service list && lb backend list && lb weight show; }

# check_refused NAME STATUS PATTERN ARGUMENT...: one line for what is wrong; one more, the usage, if
# that is what is wrong. No output that could be taken for a result.
check_refused() {
	local name=$1 status=$2 pattern=$3 got
	shift 3
	lb "$@" >"$TMP/out" 2>"$TMP/err"
	got=$?
	if [ "$got" -ne "$status" ]; then
		not_ok "$name" "exit status $got, expected $status" "$(cat "$TMP/err")"
	elif [ -s "$TMP/out" ]; then
		not_ok "$name" "it printed $(cat "$TMP/out")"
	elif ! head -n 1 "$TMP/err" | grep -qE -- "^sluice: .*$pattern"; then
		not_ok "$name" "said '$(cat "$TMP/err")', expected /$pattern/"
	elif [ "$(grep -vc '^usage: ' "$TMP/err")" -ne 1 ]; then
		not_ok "$name" "more than a line: $(cat "$TMP/err")"
	elif [ "$(state)" != "$before" ]; then
		not_ok "$name" "the state has changed"
	else
		ok "$name"
	fi
}

# check_report NAME PATTERN JSON: apply and plan refuse it alike.
check_report() {
	printf '%s' "$3" >"$TMP/report"
	check_refused "apply: $1" 1 "/report(:[0-9]+)?: .*$2" weight apply "$TMP/report"
	check_refused "plan: $1" 1 "/report(:[0-9]+)?: .*$2" weight plan "$TMP/report"
}

network 1
before=
check_fails "nothing loaded: status" 1 "nothing is loaded at $PIN" lb status
check_fails "nothing loaded: service add" 1 "nothing is loaded at $PIN" \
	lb service add web --vip "$VIP" --port 80 --proto tcp
check_fails "load: pins that are on no BPF file system" 1 \
	"$TMP/pins is not on a BPF file system, expected a directory below /sys/fs/bpf" \
	in_ns lb "$SLUICE" --pin "$TMP/pins" load
check_fails "nor are those of a node's program" 1 "$TMP is not on a BPF file system" \
	in_ns lb "$SLUICE" --pin "$TMP" attach c0 --role node
check_equal "no directory is left there" "$(ls "$TMP")" ""
touch "$TMP/lb"
check_fails "nor is anything unloaded there" 1 "$TMP is not on a BPF file system" \
	in_ns lb "$SLUICE" --pin "$TMP" unload
check_equal "what is there stays" "$(ls "$TMP")" lb
check "load" lb load
service web 80 tcp ipip 1
before=$(state)

check_refused "no command" 2 "a command is needed"
check_refused "unknown command" 2 'no command "serve"' serve
check_refused "unknown option" 2 "unknown option --fast" service add x --fast
check_refused "unknown global option" 2 "option --fast" --fast status
check_refused "option without its value" 2 "--vip wants a value" service add x --vip
check_refused "missing arguments" 2 "expected SERVICE and NAME" backend add
check_refused "surplus argument" 2 "expected nothing" status twice
for noun in service backend weight; do
	check_fails "$noun without a verb" 2 "has these verbs" lb $noun
	check_fails "$noun with an unknown verb" 2 "has these verbs" lb $noun fly
done

web=(--vip "$VIP" --port 81 --proto tcp)
check_refused "service: needs a VIP" 2 "needed" service add x --port 80 --proto tcp
check_refused "service: bad VIP" 2 '--vip is "192.0.2"' service add x --vip 192.0.2 --port 1 --proto tcp
check_refused "service: bad port" 2 '--port is "65536"' service add x --vip "$VIP" --port 65536 --proto tcp
check_refused "service: a port in words" 2 '--port is "http", expected a whole number from 0 to 65535, or any' service add x --vip "$VIP" --port http --proto tcp
check_refused "service: bad proto" 2 '--proto is "sctp"' service add x --vip "$VIP" --port 1 --proto sctp
check_refused "service: bad forward" 2 '--forward is "nat"' service add x "${web[@]}" --forward nat
udp=(--vip "$VIP" --port 81 --proto udp)
check_refused "service: MSS too small" 1 "100 bytes are no MSS: at least 536" service add x "${web[@]}" --mss 100
check_refused "service: MSS too large" 2 '--mss is "65496".*to 65495' service add x "${web[@]}" --mss 65496
check_refused "service: MSS of UDP" 1 "only a TCP service has an MSS" service add x "${udp[@]}" --mss 1400
check_refused "service: bad idle time" 2 '--idle is "0".*from 1 to 86400' service add x "${udp[@]}" --idle 0
check_refused "service: idle time of TCP" 1 "only a UDP service has an idle time" service add x "${web[@]}" --idle 9
check_refused "service: bad server id length" 2 '--quic-server-id-bytes is "16"' service add x "${udp[@]}" --quic-server-id-bytes 16
check_refused "service: server ids of TCP" 1 "only a UDP service has QUIC" service add x "${web[@]}" --quic-server-id-bytes 8
check_refused "service: nothing to set" 2 "nothing to set" service set web
check_refused "service: set an unknown one" 1 'no service "x"' service set x --mss 1400
check_refused "service: set a VIP" 2 "unknown option --vip" service set web --vip "$VIP6"
check_refused "service: set a bad value" 2 '--forward is "nat".*dsr, ipip or gue' service set web --forward nat
check_refused "service: set an impossible one" 1 "only a UDP service" service set web --idle 60
check_refused "service: set needs a name" 2 "expected one NAME" service set --mss 1400
check_refused "service: bad slots" 1 "5000" service add x "${web[@]}" --slots 5000
check_refused "service: bad local count" 2 "on or off" service add x "${web[@]}" --local-count yes
check_refused "service: bad name" 1 "name" service add "" "${web[@]}"
check_refused "service: name in use" 1 "web" service add web "${web[@]}"
check_refused "service: VIP and port in use" 1 "web" service add x --vip "$VIP" --port 80 --proto tcp
check_refused "service: delete an unknown one" 1 'no service "x"' service del x
check_refused "backend: unknown service" 1 'no service "x"' backend add x b2 --address 10.0.1.3
check_refused "backend: bad address" 2 '--address is "10.0.0"' backend add web b2 --address 10.0.0
check_refused "backend: no address" 2 "--address is needed" backend add web b2
check_refused "backend: bad weight" 2 '--weight is "-1"' backend add web b2 --address 10.0.1.3 --weight -1
check_refused "backend: bad state" 2 '--state is "off"' backend set web b1 --state off
check_refused "backend: bad server id" 2 '--server-id is "xy".*hexadecimal' backend set web b1 --server-id xy
check_refused "backend: server id of a service without" 1 "does not route by QUIC" backend set web b1 --server-id a1
check_refused "load: bad GUE port" 2 '--gue-port is "0"' load --gue-port 0
check_refused "load: bad rate" 2 '--icmp-rate is "x"' load --icmp-rate x
check_refused "backend: name in use" 1 "b1" backend add web b1 --address 10.0.1.3
check_refused "backend: address in use" 1 "b1" backend add web b2 --address 10.0.1.2
check_refused "backend: nothing to set" 2 "nothing to set" backend set web b1
check_refused "backend: set an unknown one" 1 'no backend "x"' backend set web x --weight 1
check_refused "backend: delete an unknown one" 1 'no backend "x"' backend del web x
check_refused "backend: list an unknown service" 1 'no service "x"' backend list x
check_refused "weight: unknown service" 1 'no service "x"' weight set x b1=1
check_refused "weight: unknown backend behind a good one" 1 'no backend "x"' weight set web b1=7 x=1
check_refused "weight: no equals sign" 2 '"b1" is not BACKEND=WEIGHT' weight set web b1
for weight in -1 65536 65535.001 1.2345 1e3 '' x; do
	check_refused "weight: '$weight'" 2 "weight of b1 is \"$weight\"" weight set web "b1=$weight"
done
check_refused "weight: unknown policy" 2 '--policy is "wild"' weight apply - --policy wild
check_refused "weight: bad skew" 2 '--max-skew is "x"' weight apply - --max-skew x
check_refused "weight: no such file" 1 "/nonesuch: No such file" weight apply /nonesuch
check_refused "stats: bad interval" 2 '--interval is "0"' stats --interval 0

check_report "empty" "bad JSON" ""
check_report "cut off" "bad JSON" $'[{"node_id": "node-1",\n'
check_report "not an object" "report 1: it is 7" "[7]"
check_report "no JSON" "bad JSON" "cpu: 7"
check_report "no node" "report 1: node_id is missing" '{"cpu_percent": 1}'
check_report "node's type" "node_id is 7" '{"node_id": 7}'
check_report "CPU beyond 100" "node-1\): cpu_percent is 101" '{"node_id": "node-1", "cpu_percent": 101}'
check_report "CPU in words" 'cpu_percent is "low"' '{"node_id": "node-1", "cpu_percent": "low"}'
check_report "negative latency" "latency_ms is -1" '{"node_id": "node-1", "latency_ms": -1}'
check_report "no such time" "last_seen is" '{"node_id": "node-1", "last_seen": "2026-02-30T00:00:00Z"}'
check_report "from the future" "last_seen is .*after now" '{"node_id": "node-1", "last_seen": "2999-01-01T00:00:00Z"}'
check_report "second of two is bad" "report 2 .b.: mem_percent" '[{"node_id": "node-1"}, {"node_id": "b", "mem_percent": -5}]'
check_report "one node twice" "report 2 .*one report a node" '[{"node_id": "node-1"}, {"node_id": "node-1"}]'
check_report "a field twice" "bad JSON" '{"node_id": "node-1", "node_id": "node-2"}'

# What is done, but not as one may think: a line of warning.
# warns NAME TEXT COMMAND...: of where backends listen and what they are.
warns() {
	"${@:3}" >"$TMP/out" 2>"$TMP/err"
	check_equal "$1: exit status" $? 0
	check_equal "$1" "$(grep -v ": no neighbour; " "$TMP/err")" "${2:+sluice: warning: $2}"
}
warns "a backend's port" \
	"web/b2: packets arrive at the service's port 80; 8080 is for health checks only" \
	lb backend add web b2 --address 10.0.1.3:8080
warns "the service's own port" "" lb backend add web b3 --address 10.0.1.4:80
check "a service of all ports" lb service add all --vip 192.0.2.9 --port any --proto tcp
warns "a port of a service of all" "" lb backend add all b1 --address 10.0.1.3:8080
warns "this machine's own address" \
	"web/b4 at 10.0.0.1: this machine's own address; it takes no flows until \`sluice backend resolve\` finds a way" \
	lb backend add web b4 --address 10.0.0.1
check "away with them" eval "for b in 2 3 4; do lb backend del web b\$b; done; lb service del all"
before=$(state)

# Maps of another version are left alone. The ABI is the first byte of the control map.
write_abi() {
	local bytes
	bytes=$(bpftool -j map lookup pinned "$PIN/control" key hex 0 0 0 0 |
		jq -r '.value | .[0] = "'"$1"'" | join(" ")')
	# shellcheck disable=SC2086
	bpftool map update pinned "$PIN/control" key hex 0 0 0 0 value $bytes
}
abi=$(lb status --json | jq .abi)
check "write another ABI" write_abi 0x63
for command in status "service list" "service del web" "weight set web b1=1" stats load "attach c0"; do
	# shellcheck disable=SC2086
	check_fails "another ABI: $command" 1 "have ABI 99, this sluice has $abi" lb $command
done
check "write the right ABI" write_abi "$abi"
check_equal "all of that has changed nothing" "$(state)" "$before"
check "and good commands still work" lb weight set web b1=65535

# Maps that somebody else wrote to: a backend whose service is not there.
forget_service() {
	local bytes
	bytes=$(bpftool -j map lookup pinned "$PIN/service_info" key hex 1 0 0 0 |
		jq -r '.value | map("0") | join(" ")')
	# shellcheck disable=SC2086
	bpftool map update pinned "$PIN/service_info" key hex 1 0 0 0 value hex $bytes
}
check "forget a service" forget_service
for command in status "backend list" "weight show" stats "weight set web b1=1"; do
	# shellcheck disable=SC2086
	check_fails "contradiction: $command" 1 "maps at $PIN contradict each other" lb $command
done
finish
