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

BOLD= CYAN= GREEN= RED= PLAIN=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' CYAN=$'\e[36m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

# --- how it speaks -----------------------------------------------------------------------------
title() { printf '\n%s%s%s\n' "$BOLD" "$1" "$PLAIN"; }

# command MACHINE COMMAND...: shows it, as one would type it there.
command_line() {
	local machine=$1
	shift
	printf '%s%s$ %s%s\n' "$CYAN" "$machine" "$*" "$PLAIN"
}

balancer() {
	command_line balancer sluice "$@"
	lb "$@" || fail "sluice $1 failed"
}

fail() {
	printf '%sdemo: %s%s\n' "$RED" "$1" "$PLAIN" >&2
	exit 1
}

leave() {
	local status=$?
	trap '' INT TERM HUP PIPE
	cleanup 2>/dev/null
	{
		[ "$status" -eq 130 ] && printf '\nStopped. '
		echo "Namespaces, programs, maps, servers and files of the demo are removed."
	} 2>/dev/null
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
		Commands are shown without --pin $PIN, which keeps the demo apart.
	END
}

set_up() {
	local i
	title "1. Nodes run nginx, and a program that unpacks what the balancer sends them in IPIP."
	for ((i = 1; i <= NODES; i++)); do
		command_line "node-$i" sluice attach eth0 --role node
	done
	[ -x "$SLUICE" ] || fail "$SLUICE is not there: run make first"
	network "$NODES"
	prepare_client
	start_servers "$NODES"

	title "2. The balancer gets its program, a service, the service's backends, and a device."
	balancer load
	balancer service add web --vip "$VIP" --port 80 --proto tcp --forward ipip
	for ((i = 1; i <= NODES; i++)); do
		balancer backend add web "web-$i" --address "10.0.$i.2" --node "node-$i"
	done
	balancer attach c0
}

start_traffic() {
	title "3. The client starts a long download, then many short requests."
	command_line client curl --limit-rate "$DOWNLOAD_RATE" -O "http://$VIP/big.bin"
	start_download
	hot=$((download_node - 1))
	echo "The download is served by node-$download_node, so that is the node that will get hot."
	command_line client "${WRK[@]:0:4} 'Connection: close' http://$VIP/"
	echo "Every request is a new connection. wanted: share by weight; seen: share of the new"
	echo "connections of that second, from the differences of \`sluice stats\`."
	start_requests
	sleep 0.5
	read_wanted
	read_counted
	print_heading
	watch 4
	add_phase "before any report" -
}

# write_report CPU LATENCY: of the node with the download; the others are well.
write_report() {
	local i cpu latency lines=()
	for ((i = 1; i <= NODES; i++)); do
		cpu=$((30 + 2 * i)) latency=$((10 + i))
		[ "$i" -eq "$download_node" ] && cpu=$1 latency=$2
		lines+=("{\"node_id\": \"node-$i\", \"cpu_percent\": $cpu, \"latency_ms\": $latency, $(
			date -u +'"last_seen": "%Y-%m-%dT%H:%M:%SZ"')}")
	done
	printf '[%s,\n %s,\n %s]\n' "${lines[@]}" >"$TMP/report.json"
}

# follow NAME CPU LATENCY [plan]: a report, and four seconds after it.
follow() {
	local name=$1 reported
	write_report "$2" "$3"
	if [ "${4:-}" = plan ]; then
		command_line balancer cat report.json
		cat "$TMP/report.json"
		balancer weight plan report.json
	fi
	old_wanted=${wanted[hot]}
	sleep 1
	read_counted
	now_us reported
	balancer weight apply report.json
	read_wanted
	print_heading
	watch 4 "$reported"
	add_phase "$name" "$moved_ms"
}

declare -a phases=()
slowest_ms=0

# add_phase NAME MOVED_MS: "-" where nothing was to move, "" where it did not.
add_phase() {
	local text_wanted text_seen text_moved=-
	percent text_wanted "${wanted[hot]}"
	percent text_seen "$settled"
	case $2 in
	-) ;;
	"") text_moved="not" slowest_ms=999999 ;;
	*)
		printf -v text_moved '%d.%02d s' $(($2 / 1000)) $(($2 % 1000 / 10))
		[ "$2" -gt "$slowest_ms" ] && slowest_ms=$2
		;;
	esac
	phases+=("$(printf '  %-26s %8s %8s %12s' "$1" "$text_wanted" "$text_seen" "$text_moved")")
}

# --- what came of it ---------------------------------------------------------------------------
summarise() {
	local i by_balancer=0 by_nginx=0 in_all=0 resets intact=broken size
	download_intact && intact=intact
	megabytes size "$(downloaded_bytes)"
	resets=$(client_resets)
	stop_requests
	read_counted

	title "Summary"
	printf '\n%s  %-26s %8s %8s %12s%s\n' "$BOLD" "share of node-$download_node" wanted seen \
		"moved after" "$PLAIN"
	printf '%s\n' "${phases[@]}"
	printf '\n%s  %-26s' "$BOLD" "connections"
	for ((i = 1; i <= NODES; i++)); do printf ' %8s' "node-$i"; done
	printf ' %8s%s\n  %-26s' "in all" "$PLAIN" "counted by the balancer"
	for ((i = 0; i < NODES; i++)); do
		printf ' %8d' "${counted[i]}"
		by_balancer=$((by_balancer + counted[i]))
	done
	printf ' %8d\n  %-26s' "$by_balancer" "answered by nginx"
	for ((i = 1; i <= NODES; i++)); do
		in_all=$(served "$i")
		printf ' %8d' "$in_all"
		by_nginx=$((by_nginx + in_all))
	done
	printf ' %8d\n' "$by_nginx"
	printf '  (%d had asked for nothing yet when wrk stopped; it keeps %d open.)\n\n' \
		$((by_balancer - by_nginx)) "$CONNECTIONS"
	printf '  long download: from node-%d, %s, %s, %d resets\n' "$download_node" "$size" "$intact" \
		"$resets"
	printf '  requests: %d answered, %d failed\n\n' "$requests_answered" "$requests_failed"
	judge "$intact" "$resets"
}

# judge INTACT RESETS
judge() {
	[ "$slowest_ms" -le 1000 ] || fail "the share did not move within a second"
	[ "$1" = intact ] || fail "the download is not intact: $(cat "$TMP/curl.err")"
	[ "$2" -eq 0 ] || fail "$2 connections were reset"
	[ "$requests_failed" -eq 0 ] && [ "${requests_answered:-0}" -gt 0 ] ||
		fail "requests failed: $(cat "$TMP/wrk")"
}

cd "$TMP" || exit 1
introduce
set_up
start_traffic
title "4. node-$download_node reports that it is busy: CPU 70 %, answers take 80 ms."
echo "The policy \"edge\" takes that for 0.5 x 0.7 of its weight. First what would happen, then it does."
follow "busy: cpu 70 %, 80 ms" 70 80 plan
title "5. It gets worse: CPU 92 %. That means no new connections; the download stays where it is."
follow "hot: cpu 92 %, 80 ms" 92 80
title "6. node-$download_node is well again: CPU 36 %, 12 ms."
follow "well: cpu 36 %, 12 ms" 36 12
summarise
