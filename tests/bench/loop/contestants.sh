# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Who takes part: a contestant NAME is two functions, start_NAME and stop_NAME ("-" in a name is "_"
# in a function's). To be sourced after scripts/testbed.sh, tests/net/loop.sh and the live bench's
# contestants.sh, which knows how to start a proxy.

declare -a loop_pids=()

# remember: what in_background has started last, to be ended by end_remembered.
remember() { loop_pids+=("$!"); }

end_remembered() {
	local pid keep=()
	[ ${#loop_pids[@]} -eq 0 ] && return
	kill "${loop_pids[@]}"
	wait "${loop_pids[@]}" 2>/dev/null
	for pid in "${test_pids[@]}"; do
		[[ " ${loop_pids[*]} " == *" $pid "* ]] || keep+=("$pid")
	done
	test_pids=("${keep[@]}")
	loop_pids=()
}

# --- Sluice, its weights fixed -------------------------------------------------------------------
# start_fixed LOCAL-COUNT
start_fixed() {
	lb load >/dev/null || fail "sluice load failed"
	service web 80 tcp ipip "$NODES" "$VIP" --local-count "$1" >/dev/null
	lb attach c0 --mode native --alone >/dev/null || fail "sluice attach failed"
}

start_sluice_static() { start_fixed off; }
start_sluice_counts() { start_fixed on; }
stop_sluice_static() { lb unload; }
stop_sluice_counts() { lb unload; }

# --- Sluice, its loop closed ---------------------------------------------------------------------
# start_loop LOCAL-COUNT
start_loop() {
	local i
	{
		daemon_yaml
		echo "services:"
		service_yaml web "$VIP" 80 "$1" $(seq "$NODES")
	} >"$TMP/sluice.yaml"
	: >"$TMP/daemon.log"
	in_background lb "$SLUICE" --pin "$PIN" run --config "$TMP/sluice.yaml" 2>>"$TMP/daemon.log"
	remember
	wait_for 20 grep -q 'ready: ' "$TMP/daemon.log" || fail "sluice run: $(cat "$TMP/daemon.log")"
	for ((i = 1; i <= NODES; i++)); do
		: >"$TMP/agent$i.log"
		start_agent "$i" web "$VIP" || fail "sluice agent: $(cat "$TMP/agent$i.log")"
		remember
	done
}

stop_loop() {
	end_remembered
	lb unload
}

start_sluice_weights() { start_loop false; }
stop_sluice_weights() { stop_loop; }
start_sluice() { start_loop true; }
stop_sluice() { stop_loop; }

# --- others --------------------------------------------------------------------------------------
start_nftables() {
	local i map=
	for ((i = 1; i <= NODES; i++)); do map="$map${map:+, }$((i - 1)) : 10.0.$i.2"; done
	in_ns lb nft -f - <<-END || fail "nft failed"
		table ip bench {
			chain prerouting {
				type nat hook prerouting priority dstnat
				ip daddr $VIP tcp dport 80 dnat to numgen random mod $NODES map { $map }
			}
		}
	END
}

stop_nftables() { in_ns lb nft delete table ip bench; }

# start_haproxy BALANCE
start_haproxy() {
	local i
	cat >"$TMP/haproxy.cfg" <<-END
		global
			maxconn 9000
		defaults
			mode tcp
			timeout connect 30s
			timeout client 60s
			timeout server 60s
		listen web
			bind $VIP:80 backlog 4096
			balance $1
	END
	for ((i = 1; i <= NODES; i++)); do
		echo "	server node$i 10.0.$i.2:80"
	done >>"$TMP/haproxy.cfg"
	start_proxy haproxy -db -f "$TMP/haproxy.cfg"
}

start_haproxy_roundrobin() { start_haproxy roundrobin; }
stop_haproxy_roundrobin() { stop_proxy; }
start_haproxy_leastconn() { start_haproxy leastconn; }
stop_haproxy_leastconn() { stop_proxy; }
