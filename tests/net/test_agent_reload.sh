#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGHUP: an agent takes its configuration and keys over as a whole, or says why not and goes on.
. "$(dirname "$0")/lib.sh"

KEY=$TMP/report.key
CONFIG=$TMP/agent.yaml

new_key() { (umask 077; head -c 32 /dev/urandom | base64 >"$1"); }

# configure NODE INTERVAL-MS PORT [MORE]
configure() {
	cat >"$CONFIG" <<-YAML
		services: [{name: web, vip: 10.0.1.2, port: 80, proto: tcp}]
		agent: {node: $1, interval_ms: $2, balancers: ['10.0.1.1:$3'], key_file: $KEY${4:+, $4}}
	YAML
}

# receiver NAME KEY PORT: what it receives is in $TMP/NAME; its process id is in $receiver_pid.
receiver() {
	in_background lb "$ROOT/tests/net/receive_reports.py" "$2" 10.0.1.1 "$3" >"$TMP/$1" 2>&1
	receiver_pid=$!
	wait_for 10 grep -q ready "$TMP/$1" || exit 1
}

shows() { [ "$(tail -n 1 "$TMP/$1" | jq -c "$2" 2>/dev/null)" = true ]; }
comes() { wait_for 10 shows "$@"; }
said() { grep -qE -- "$1" "$TMP/agent"; }
lines() { wc -l <"$TMP/$1"; }
more_than() { [ "$(lines "$1")" -gt "$2" ]; }

# refuse NAME PATTERN: of the configuration as it is now; in one line, and reports go on.
refuse() {
	local before
	before=$(lines agent)
	kill -HUP "$agent_pid"
	check "refused: $1" wait_for 10 said "reload: $2.*; what was in force stays"
	check_equal "in one line" $(($(lines agent) - before)) 1
	before=$(lines first)
	check "reports go on" wait_for 10 more_than first $((before + 2))
	check "of the same node and sender" shows first ".node_id == \"node-1\" and .envelope.sender == \"$sender\""
}

network 1
new_key "$KEY"
receiver first "$KEY" 9601
old_receiver_pid=$receiver_pid
configure node-1 100 9601
in_background node1 "$SLUICE" agent --config "$CONFIG" 2>"$TMP/agent"
agent_pid=$!
check "a report comes" comes first '.node_id == "node-1" and (has("services") | not)'
sender=$(tail -n 1 "$TMP/first" | jq -r .envelope.sender)

# --- what is no good changes nothing ---------------------------------------------------------------
configure node-2 200 9602 "nodes: x"
refuse "an unknown key" "$CONFIG:2: agent: got the unknown key .nodes."
configure node-2 200 9602 "measure: [eth9]"
refuse "no such device" 'there is no device "eth9"'
configure node-2 200 9602
sed -i "s|key_file: [^,}]*|key_file: $TMP/none|" "$CONFIG"
refuse "no key" "cannot read $TMP/none: No such file"
echo "agent: {node: node-2}" >"$CONFIG"
refuse "nobody to report to" ".*there is none to report to"
rm "$CONFIG"
refuse "no configuration" "cannot read $CONFIG: No such file"

# --- what is good is all taken over ------------------------------------------------------------------
new_key "$KEY"
receiver second "$KEY" 9602
configure node-2 200 9602 "measure: [eth0]"
kill -HUP "$agent_pid"
check "another node, balancer, key and measurement" comes second \
	'.node_id == "node-2" and (.services | map(.service)) == ["web"]'
check "which is said" said 'reload: node-2 reports every 200 ms to 1 balancers'
check_equal "none is forged" "$(grep -c forged "$TMP/second")" 0
check_equal "it begins a sequence of its own" "$(grep envelope "$TMP/second" | head -n 1 | jq .envelope.sequence)" 1
check_equal "by another sender" "$(tail -n 1 "$TMP/second" | jq ".envelope.sender != \"$sender\"")" true
before=$(lines first)
sleep 0.5
check_equal "nothing goes the old way" "$(lines first)" "$before"

# --- a key that is renewed under its name --------------------------------------------------------------
kill "$old_receiver_pid"
new_key "$KEY"
receiver third "$KEY" 9601
before=$(lines second)
check "a new key in the file is not read by itself" wait_for 10 more_than second $((before + 2))
check_equal "what comes is sealed with the one before" "$(grep -c forged "$TMP/second")" 0
configure node-2 200 9601 "measure: [eth0]"
kill -HUP "$agent_pid"
check "but after a reload" comes third '.node_id == "node-2"'
check_equal "none is forged" "$(grep -c forged "$TMP/third")" 0

# --- and is measured by one pair of programs, however often --------------------------------------------
for _ in 1 2 3; do
	kill -HUP "$agent_pid"
	sleep 0.3
done
check "it still reports" comes third '(.services | map(.service)) == ["web"]'
check_equal "no report is empty-handed" "$(grep -h envelope "$TMP/third" | jq -s 'all(.services | length == 1)')" true
count=$(grep -lsE 'link_type:.*tcx' "/proc/$agent_pid/fdinfo"/* | wc -l)
filters=$(in_ns node1 tc filter show dev eth0 ingress | grep -c ' id ')
check_equal "two programs measure" $((count + 2 * filters)) 2
kill "$agent_pid"
wait "$agent_pid"
check_equal "SIGTERM ends it" $? 0
finish
