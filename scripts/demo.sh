#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo: one address, three web servers, and one of them gets hot. Takes about 25 s, needs root,
# leaves nothing behind. Exit status 0 only if the shares moved within a second of each report, the
# long download came whole from the node it started on, and no request failed.

export LC_ALL=C
NODES=3

if [ "$(id -u)" -ne 0 ]; then
	echo "demo: network namespaces and BPF programs need root" >&2
	exit 1
fi

# shellcheck source=testbed.sh
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
# shellcheck source=demo/world.sh
. "$ROOT/scripts/demo/world.sh"
# shellcheck source=demo/table.sh
. "$ROOT/scripts/demo/table.sh"

BOLD='' CYAN='' GREEN='' RED='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' CYAN=$'\e[36m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

# --- how it speaks -----------------------------------------------------------------------------
title() { printf '\n%s%s%s\n' "$BOLD" "$1" "$PLAIN"; }

# typed MACHINE COMMAND...: a command as one would type it there.
typed() {
	local machine=$1
	shift
	printf '%s%s$ %s%s\n' "$CYAN" "$machine" "$*" "$PLAIN"
}

# balancer ARGUMENTS...: shows a sluice command, and runs it.
balancer() {
	typed balancer sluice "$@"
	lb "$@" || fail "sluice $1 failed"
}

fail() {
	printf '%sdemo: %s%s\n' "$RED" "$1" "$PLAIN" >&2
	exit 1
}

# A signal may come while a command's output is going elsewhere; what is said here never does.
exec 3>&1
leave() {
	local status=$?
	trap '' INT TERM HUP PIPE
	{
		[ "$status" -ne 130 ] || printf '\nStopped.\n'
		cleanup
		printf '\nThe demo has removed its namespaces, programs, maps, servers and files.\n'
	} >&3 2>/dev/null
	exit "$status"
}
trap leave EXIT

# --- what happens ------------------------------------------------------------------------------
introduce() {
	title "Sluice: one address, three web servers, and one of them gets hot."
	cat <<-END

		  client 10.0.0.2 ---- balancer --+-- node-1 10.0.1.2 nginx
		                 192.0.2.1:80     +-- node-2 10.0.2.2 nginx
		                                  +-- node-3 10.0.3.2 nginx

		Each machine is a network namespace; all are removed at the end, also after Ctrl-C.
		Not shown in the commands: --pin $PIN, which keeps the demo apart
		from a sluice that may run here.
	END
}

set_up() {
	local i
	title "1. The nodes get nginx, and a program that unpacks what the balancer sends in IPIP."
	for ((i = 1; i <= NODES; i++)); do typed "node-$i" sluice attach eth0 --role node; done
	network "$NODES"
	prepare_client
	start_servers "$NODES"
	sleep 0.5

	title "2. The balancer gets its program, a service, the service's backends, and a device."
	balancer load
	balancer service add web --vip "$VIP" --port 80 --proto tcp --forward ipip
	for ((i = 1; i <= NODES; i++)); do
		balancer backend add web "web-$i" --address "10.0.$i.2" --node "node-$i"
	done
	balancer attach c0
	sleep 0.5
}

start_traffic() {
	title "3. The client starts a long download, then wrk: many short requests."
	typed client "curl -O http://$VIP/big.bin"
	start_download
	hot=$((download_node - 1))
	echo "The download is served by node-$download_node, so this is the node that will get hot."
	typed client "wrk -c$CONNECTIONS -H 'Connection: close' http://$VIP/"
	echo "Every request is a new connection. In the table, wanted is a node's share by weight"
	echo "(sluice weight show), seen its share of that second's new connections (sluice stats)."
	start_requests
	sleep 1
	read_wanted
	read_counted
	print_heading
	watch 4
	add_phase "before any report" -
}

# write_report CPU LATENCY: of the node with the download; the others are well.
write_report() {
	local i cpu latency now lines=()
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	for ((i = 1; i <= NODES; i++)); do
		cpu=$((30 + 2 * i)) latency=$((10 + i))
		[ "$i" -eq "$download_node" ] && cpu=$1 latency=$2
		lines+=("$(printf '{"node_id": "node-%d", "cpu_percent": %d, "latency_ms": %d, %s}' \
			"$i" "$cpu" "$latency" "\"last_seen\": \"$now\"")")
	done
	printf '[\n%s,\n%s,\n%s\n]\n' "${lines[@]}" >"$TMP/report.json"
}

# follow NAME CPU LATENCY [plan]: a report, and four seconds after it.
follow() {
	local name="$1: cpu $2 %, $3 ms" reported_us
	write_report "$2" "$3"
	if [ "${4:-}" = plan ]; then
		typed balancer cat report.json
		cat report.json
		balancer weight plan report.json
	else
		typed balancer "grep node-$download_node report.json"
		grep "node-$download_node" report.json
	fi
	old_wanted=${wanted[hot]}
	sleep 1
	read_counted
	now_us reported_us
	balancer weight apply report.json
	read_wanted
	print_heading
	watch 4 "$reported_us"
	add_phase "$name" "$moved_ms"
}

declare -a phases=()
slowest_ms=0

# add_phase NAME MOVED_MS: "-" where nothing was to move, "" where it did not.
add_phase() {
	local text_wanted text_seen text_moved=$2
	as_percent text_wanted "${wanted[hot]}"
	as_percent text_seen "$settled"
	if [ -z "$2" ]; then
		text_moved="not at all"
		slowest_ms=999999
	elif [ "$2" != - ]; then
		as_seconds text_moved "$2"
		[ "$2" -gt "$slowest_ms" ] && slowest_ms=$2
	fi
	phases+=("$(printf '%-26s %8s %8s %8s' "$1" "$text_wanted" "$text_seen" \
		"$text_moved")")
}

# --- what came of it ---------------------------------------------------------------------------
summarise() {
	local intact=broken resets size text
	download_intact && intact=intact
	as_megabytes size "$(downloaded_bytes)"
	resets=$(client_resets)
	stop_requests
	read_counted

	title "Summary"
	printf '\n%s%-26s %8s %8s %8s%s\n' "$BOLD" "share of node-$download_node" wanted seen moved \
		"$PLAIN"
	printf '%s\n' "${phases[@]}"
	as_seconds text "$slowest_ms"
	summarise_connections
	printf '\nshares moved:  within %s of a report\n' "$text"
	printf 'long download: from node %d, %s, %s, %d resets\n' "$download_node" "$size" "$intact" \
		"$resets"
	printf 'requests:      %d answered, %d failed\n' "$requests_answered" "$requests_failed"
	printf 'balancer:      %d packets dropped\n' "$(dropped_packets)"
	judge "$intact" "$resets"
}

# The balancer's counts beside those of nginx.
summarise_connections() {
	local i count by_balancer=0 by_nginx=0 more
	printf '\n%s%-26s' "$BOLD" "connections"
	for ((i = 1; i <= NODES; i++)); do printf ' %8s' "node-$i"; done
	printf ' %8s%s\n%-26s' total "$PLAIN" "counted by the balancer"
	for count in "${counted[@]}"; do
		printf ' %8d' "$count"
		by_balancer=$((by_balancer + count))
	done
	printf ' %8d\n%-26s' "$by_balancer" "answered by nginx"
	for ((i = 1; i <= NODES; i++)); do
		count=$(served "$i")
		printf ' %8d' "$count"
		by_nginx=$((by_nginx + count))
	done
	printf ' %8d\n' "$by_nginx"
	more=$((by_balancer - by_nginx))
	if [ "$more" -ge 0 ] && [ "$more" -le $((CONNECTIONS + 1)) ]; then
		echo "The $more between them had not asked for anything yet when wrk was stopped."
	else
		echo "The difference is more than the $CONNECTIONS connections that wrk keeps open."
	fi
}

# judge INTACT RESETS
judge() {
	[ "$slowest_ms" -le 1000 ] || fail "the share did not move within a second of a report"
	[ "$1" = intact ] || fail "the download is not intact: $(cat "$TMP/curl.err")"
	[ "$2" -eq 0 ] || fail "$2 connections were reset"
	[ "$requests_failed" -eq 0 ] && [ "${requests_answered:-0}" -gt 0 ] ||
		fail "requests failed: $(cat "$TMP/wrk")"
}

[ -x "$SLUICE" ] || fail "$SLUICE is not there: run make first"
SLUICE=$(realpath "$SLUICE")
cd "$TMP" || exit 1
introduce
set_up
start_traffic
title "4. node-$download_node reports that it is busy: CPU 70 %, answers take 80 ms."
echo "Policy edge makes that 0.5 x 0.7 of its weight. plan shows what would happen, apply does it."
follow busy 70 80 plan
title "5. It gets worse, CPU 92 %: no new connections for node-$download_node. The download stays."
follow hot 92 80
title "6. node-$download_node is well again: CPU 36 %, answers take 12 ms."
follow well 36 12
summarise
