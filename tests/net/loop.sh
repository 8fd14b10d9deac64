# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The closed loop's world, for tests and the bench: servers of few workers at nodes, their agents, and
# requests at a fixed rate. To be sourced behind scripts/testbed.sh.
#
# Namespaces share a machine and its /proc, so that an agent cannot tell its node's load from the
# others': servers say it, by the agent's application_file. The rest agents measure themselves.

REPORT_PORT=9601
declare -A server_pid=() agent_pid=()

prepare_loop() {
	# What others do on this machine must not look like a node's trouble.
	renice -n -15 -p $$ >/dev/null
	(umask 077 && head -c 32 /dev/urandom | base64 >"$TMP/report.key")
	# Client's and proxies' ports, for as many connections as there are.
	in_ns client sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
	in_ns lb sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
}

# start_worker_server I WORKERS BODY-BYTES SERVICE-MS exponential|uniform: see worker_server.c.
start_worker_server() {
	local dir=$TMP/server$1
	mkdir -p "$dir"
	set_service_ms "$1" "$4"
	in_background "node$1" "$HELPERS/worker_server" "$1" 80 "$2" "$3" "$dir" "$5" \
		2>>"$TMP/server.log"
	server_pid[$1]=$!
	wait_for 10 in_ns "node$1" curl -sf -o /dev/null http://127.0.0.1/
}

set_service_ms() {
	echo "$2" >"$TMP/server$1/service_ms.new"
	mv "$TMP/server$1/service_ms.new" "$TMP/server$1/service_ms"
}

# start_agent I SERVICE VIP
start_agent() {
	cat >"$TMP/agent$1.yaml" <<-YAML
		services: [{name: $2, vip: $3, port: 80, proto: tcp}]
		agent:
		  node: node-$1
		  balancers: ["10.0.0.1:$REPORT_PORT"]
		  key_file: $TMP/report.key
		  measure: [eth0]
		  application_file: $TMP/server$1/load.json
	YAML
	in_background "node$1" "$SLUICE" agent --config "$TMP/agent$1.yaml" 2>>"$TMP/agent$1.log"
	agent_pid[$1]=$!
	wait_for 20 grep -q 'reports every' "$TMP/agent$1.log"
}

# daemon_yaml: the head of a daemon's configuration.
daemon_yaml() {
	cat <<-YAML
		load: {flows_per_cpu: 65536, backends_max: 64}
		control: {attach: [c0]}
		sources:
		  udp: 10.0.0.1:$REPORT_PORT
		  key_file: $TMP/report.key
	YAML
}

# service_yaml NAME VIP PORT LOCAL-COUNT I...: with a backend "NAME-I" on each of those nodes.
service_yaml() {
	local i
	cat <<-YAML
		  - name: $1
		    vip: $2
		    port: $3
		    proto: tcp
		    forward: ipip
		    local_count: $4
	YAML
	[ -z "${policy-}" ] || echo "    policy: $policy"
	echo "    backends:"
	for i in "${@:5}"; do echo "      - {name: $1-$i, address: 10.0.$i.2, node: node-$i}"; done
}

# start_requests NAME ADDRESS PORT RATE SECONDS TIMEOUT-S: see open_loop.c; what becomes of them is in
# $TMP/NAME.
start_requests() {
	in_background client "$HELPERS/open_loop" "${@:2}" >"$TMP/$1"
	requests_pid=$!
}

now_ms() { date +%s%3N; }

# kill_hard PID: and nobody says so.
kill_hard() {
	kill -9 "$1"
	wait "$1" 2>/dev/null
}
