# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the demo's network carries: web servers, a long download and many short requests. To be
# sourced after scripts/testbed.sh.

DOWNLOAD_BYTES=12000000
CONNECTIONS=64

# start_servers NODES: nginx on each, with nothing of the machine's own nginx.
start_servers() {
	local i dir
	chmod 711 "$TMP" # nginx's workers are not root
	mkdir "$TMP/html"
	echo "hello" >"$TMP/html/index.html"
	head -c "$DOWNLOAD_BYTES" /dev/urandom >"$TMP/html/big.bin"
	for ((i = 1; i <= $1; i++)); do
		dir=$TMP/node-$i
		mkdir -p "$dir/temp"
		ln -s ../html "$dir/html"
		sed "s/NODE/node-$i/" "$ROOT/scripts/demo/nginx.conf" >"$dir/nginx.conf"
		in_background "node$i" nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log"
	done
	for ((i = 1; i <= $1; i++)); do
		wait_for 5 in_ns "node$i" curl -sf -o /dev/null http://127.0.0.1/ && continue
		cat "$TMP/node-$i/error.log" >&2
		fail "nginx did not start on node-$i"
	done
	for ((i = 1; i <= $1; i++)); do : >"$TMP/node-$i/access.log"; done
}

# Small receive buffers, so that the download really flows all the time that it lasts; and ports
# enough that no connection has the addresses of one before it.
prepare_client() {
	in_ns client sysctl -qw net.ipv4.tcp_rmem="4096 65536 131072" \
		net.ipv4.ip_local_port_range="1024 65535"
}

# Leaves the number of the node that serves it in download_node.
start_download() {
	in_background client curl -sS -D "$TMP/headers" -o "$TMP/big.bin" \
		"http://$VIP/big.bin" 2>"$TMP/curl.err"
	download_pid=$!
	wait_for 5 grep -qi '^x-node' "$TMP/headers" || fail "the download did not start"
	download_node=$(sed -n 's/^X-Node: node-\([0-9]*\).*/\1/p' "$TMP/headers")
}

downloaded_bytes() { stat -c %s "$TMP/big.bin" 2>/dev/null || echo 0; }

# Did all of it come, as it is on the server, and from the node where it started?
download_intact() {
	wait_for 20 eval "! kill -0 $download_pid" && wait "$download_pid" || return 1
	cmp -s "$TMP/big.bin" "$TMP/html/big.bin" &&
		grep -qx "200 /big.bin $DOWNLOAD_BYTES" "$TMP/node-$download_node/access.log"
}

# Connections that a reset ended, as the client's kernel counts them.
client_resets() {
	in_ns client awk '
		/^Tcp:/ && !column { for (i = 1; i <= NF; i++) if ($i == "EstabResets") column = i; next }
		/^Tcp:/ { print $column }' /proc/net/snmp
}

# Each request on a connection of its own. wrk would go on for longer than we let it.
start_requests() {
	in_background client wrk -t1 -c"$CONNECTIONS" -d60s -H "Connection: close" \
		-s "$ROOT/scripts/demo/wrk.lua" "http://$VIP/" >"$TMP/wrk" 2>&1
	wrk_pid=$!
}

# Leaves in requests_answered and requests_failed what wrk says at its end.
stop_requests() {
	kill -INT "$wrk_pid" 2>/dev/null
	wait "$wrk_pid" || fail "wrk failed: $(cat "$TMP/wrk")"
	requests_answered=$(awk '/ requests in / { print $1 }' "$TMP/wrk")
	requests_failed=$(awk '
		/Socket errors:/ { gsub(",", ""); sum += $4 + $6 + $8 + $10 }
		/Non-2xx or 3xx/ { sum += $NF }
		END { print sum + 0 }' "$TMP/wrk")
}

# Packets that the balancer dropped, for whatever reason.
dropped_packets() { lb --json stats | jq '[.drops[].packets] | add'; }

# served NODE: requests that its nginx has answered.
served() { grep -c '^200 ' "$TMP/node-$1/access.log"; }
