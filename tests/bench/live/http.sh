# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# HTTP requests from wrk at the client to nginx at two nodes, and what CPU time a request takes. To be sourced after scripts/testbed.sh and contestants.sh.
#
# To the testbed's network it adds a wire w0 -- wI from each node to the client, for "direct" and
# for nodes that answer the client without the balancer: node 10.1.I.2, client 10.1.I.1.

BODY_BYTES=1024
CONNECTIONS=64
THREADS=2

prepare_http() {
	local i
	for i in 1 2; do
		add_link "node$i" w0 client "w$i"
		in_ns "node$i" ip addr add "10.1.$i.2/24" dev w0
		in_ns client ip addr add "10.1.$i.1/24" dev "w$i"
		in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" unload
	done
	restore_offloads
	# So that no connection has to wait for the ports of one before it.
	for i in client lb; do
		in_ns "$i" sysctl -qw net.ipv4.ip_local_port_range="1024 65535" \
			net.ipv4.tcp_tw_reuse=1
	done
	chmod 711 "$TMP" # nginx's workers are not root
	for i in 1 2; do start_server "$i"; done
}

# The testbed turns them off for XDP's sake.
restore_offloads() {
	local at
	for at in client/eth0 client/w1 client/w2 lb/c0 lb/n1 lb/n2 node1/eth0 node1/w0 node2/eth0 \
		node2/w0; do
		in_ns "${at%/*}" ethtool -K "${at#*/}" tx on >/dev/null 2>&1
	done
}

# start_server I: its file says who it is.
start_server() {
	local dir=$TMP/node$1
	mkdir -p "$dir/html" "$dir/temp"
	printf 'node%-*d\n' $((BODY_BYTES - 5)) "$1" >"$dir/html/index.html"
	cat >"$dir/nginx.conf" <<-END
		daemon off;
		worker_processes 1;
		pid nginx.pid;
		events {
			worker_connections 4096;
		}
		http {
			access_log off;
			sendfile on;
			keepalive_requests 100000000;
			client_body_temp_path temp/body;
			proxy_temp_path temp/proxy;
			fastcgi_temp_path temp/fastcgi;
			uwsgi_temp_path temp/uwsgi;
			scgi_temp_path temp/scgi;
			server {
				listen 80;
				root html;
			}
		}
	END
	in_background "node$1" nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log"
	wait_for 5 in_ns "node$1" curl -sf -o /dev/null http://127.0.0.1/ ||
		fail "nginx does not answer: $(cat "$dir/error.log")"
}

# Time that all CPUs were not idle, and not taken by the hypervisor either; see proc(5).
busy_ticks() { awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8; exit }' /proc/stat; }

# Time of what runs in our namespaces, and of ksoftirqd. On veth packets are handled in the time of the
# task that sent them, so this is nearly all; and unlike busy_ticks it holds on a machine that has other
# things to do. wrk is not there yet or any more when this is asked for: its own time comes on top.
task_ns() {
	local pid files=()
	for pid in $(pgrep ksoftirqd) $(for at in client lb node1 node2; do ip netns pids "$ID-$at"; done); do
		files+=("/proc/$pid/task/"*/schedstat)
	done
	cat "${files[@]}" 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# Which nodes answer a few new connections?
nodes_seen() {
	local i
	for i in {1..24}; do in_ns client curl -s "http://$target/" | head -n1; done | sort -u | xargs
}

check_spread() {
	local seen expected="node1 node2"
	[ "$1" != direct ] || expected=node1
	seen=$(nodes_seen)
	[ "$seen" = "$expected" ] || fail "http: $1 was answered by '$seen', expected '$expected'"
}

# request_for_a_while NAME close|keep-alive: a sample.
request_for_a_while() {
	local machine tasks headers=() TIMEFORMAT='%U %S'
	[ "$2" != close ] || headers=(-H "Connection: close")
	progress "[round $round of $rounds] http: $1, $2"
	tasks=$(task_ns)
	machine=$(busy_ticks)
	{ time in_ns client wrk "-t$THREADS" "-c$CONNECTIONS" "-d${seconds}s" --timeout 10s "${headers[@]}" \
		"http://$target/" >"$TMP/wrk" 2>&1; } 2>"$TMP/wrk.time" ||
		fail "http: $1: wrk failed: $(cat "$TMP/wrk")"
	machine=$(($(busy_ticks) - machine))
	tasks=$(($(task_ns) - tasks))
	awk -v name="$1" -v connection="$2" -v ticks=$machine -v tasks=$tasks -v hz="$(getconf CLK_TCK)" '
		FILENAME != main { wrk_s = $1 + $2 }
		/ requests in / { requests = $1 }
		/^Requests\/sec:/ { rate = $2 }
		/Socket errors:/ { gsub(",", ""); failed += $4 + $6 + $8 + $10 }
		/Non-2xx or 3xx/ { failed += $NF }
		END {
			if (!requests) exit 1
			printf "{\"part\": \"http\", \"name\": \"%s\", \"connection\": \"%s\", ", name, connection
			printf "\"requests_per_s\": %s, \"failed\": %d, ", rate, failed
			printf "\"cpu_us\": %.3f, ", (tasks / 1e9 + wrk_s) * 1e6 / requests
			printf "\"machine_us\": %.3f}\n", ticks / hz * 1000000 / requests
		}' main="$TMP/wrk" "$TMP/wrk.time" "$TMP/wrk" >>"$TMP/samples" || fail "http: $1: nothing was answered: $(cat "$TMP/wrk")"
}

# measure_http: a round.
measure_http() {
	local name connection
	for name in $http; do
		"start_${name//-/_}"
		check_spread "$name"
		for connection in close keep-alive; do request_for_a_while "$name" "$connection"; done
		"stop_${name//-/_}"
	done
}
