# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Who takes part in the HTTP bench. A contestant NAME is two functions: start_NAME puts it between
# the client and the nodes and leaves in $target where the client has to go, stop_NAME takes it
# away again ("-" in a name is "_" in a function's). To be sourced after scripts/testbed.sh.
#
# What they find is the kernel's own forwarding: nodes route by the balancer, no XDP program is
# anywhere, and devices have the offloads that veth comes with.

target=

start_direct() { target=10.1.1.2; }
stop_direct() { :; }

# Nodes answer the client without the balancer, as they do behind any balancer that leaves the
# client's packets as they are.
answer_directly() {
	local i
	for i in 1 2; do
		in_ns "node$i" ip route add 10.0.0.2/32 via "10.1.$i.1" advmss 1400 ||
			fail "node $i cannot be prepared"
	done
}

answer_by_balancer() {
	local i
	for i in 1 2; do in_ns "node$i" ip route del 10.0.0.2/32; done
}

# --- sluice ------------------------------------------------------------------------------------
start_sluice() {
	local i
	target=$VIP
	in_ns client ethtool -K eth0 tx off >/dev/null 2>&1
	for i in 1 2; do
		in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" attach eth0 --role node >/dev/null ||
			fail "node $i cannot be prepared"
	done
	answer_directly
	lb load >/dev/null || fail "sluice load failed"
	service web 80 tcp "$1" 2 >/dev/null
	lb attach c0 --mode native --alone >/dev/null || fail "sluice attach failed"
}

stop_sluice() {
	local i
	lb unload
	for i in 1 2; do in_ns "node$i" "$SLUICE" --pin "$PIN-node$i" unload; done
	answer_by_balancer
	in_ns client ethtool -K eth0 tx on >/dev/null 2>&1
}

start_sluice_dsr() { start_sluice dsr; }
stop_sluice_dsr() { stop_sluice; }
start_sluice_ipip() { start_sluice ipip; }
stop_sluice_ipip() { stop_sluice; }
start_sluice_gue() { start_sluice gue; }
stop_sluice_gue() { stop_sluice; }

# --- nftables ----------------------------------------------------------------------------------
# Answers come back by the balancer, which undoes the translation.
start_nftables() {
	target=$VIP
	in_ns lb nft -f - <<-END || fail "nft failed"
		table ip bench {
			chain prerouting {
				type nat hook prerouting priority dstnat
				ip daddr $VIP tcp dport 80 dnat to numgen random mod 2 map \
					{ 0 : 10.0.1.2, 1 : 10.0.2.2 }
			}
		}
	END
}

stop_nftables() { in_ns lb nft delete table ip bench; }

# --- proxies -----------------------------------------------------------------------------------
# start_proxy COMMAND...: in the balancer's namespace, which the VIP belongs to.
start_proxy() {
	target=$VIP
	in_ns lb ip addr add "$VIP/32" dev lo
	in_background lb "$@" >"$TMP/proxy.log" 2>&1
	wait_for 5 in_ns client curl -sf -o /dev/null "http://$VIP/" ||
		fail "$1 does not answer: $(cat "$TMP/proxy.log")"
}

stop_proxy() {
	local pid=${test_pids[-1]}
	kill -TERM "$pid"
	wait "$pid"
	unset 'test_pids[-1]'
	in_ns lb ip addr del "$VIP/32" dev lo
}

start_haproxy() {
	cat >"$TMP/haproxy.cfg" <<-END
		global
			maxconn 4000
		defaults
			mode tcp
			timeout connect 5s
			timeout client 30s
			timeout server 30s
		listen web
			bind $VIP:80
			balance roundrobin
			server node1 10.0.1.2:80
			server node2 10.0.2.2:80
	END
	start_proxy haproxy -db -f "$TMP/haproxy.cfg"
}

stop_haproxy() { stop_proxy; }

start_nginx_stream() {
	mkdir -p "$TMP/stream"
	cat >"$TMP/stream/nginx.conf" <<-END
		load_module /usr/lib/nginx/modules/ngx_stream_module.so;
		daemon off;
		worker_processes auto;
		pid nginx.pid;
		events {
			worker_connections 4096;
		}
		stream {
			upstream web {
				server 10.0.1.2:80;
				server 10.0.2.2:80;
			}
			server {
				listen $VIP:80 reuseport;
				proxy_pass web;
			}
		}
	END
	start_proxy nginx -p "$TMP/stream" -c "$TMP/stream/nginx.conf" -e "$TMP/stream/error.log"
}

stop_nginx_stream() { stop_proxy; }

# --- IPVS --------------------------------------------------------------------------------------
# start_ipvs -m|-g: the VIP is the balancer's own, for IPVS takes what comes in for itself.
start_ipvs() {
	local i
	target=$VIP
	in_ns lb ip addr add "$VIP/32" dev lo
	in_ns lb ipvsadm -A -t "$VIP:80" -s wrr || fail "ipvsadm failed: does the kernel have ip_vs?"
	for i in 1 2; do
		in_ns lb ipvsadm -a -t "$VIP:80" -r "10.0.$i.2:80" "$1" -w 1 || fail "ipvsadm failed"
	done
}

stop_ipvs() {
	in_ns lb ipvsadm -C
	in_ns lb ip addr del "$VIP/32" dev lo
}

start_ipvs_nat() { start_ipvs -m; }
stop_ipvs_nat() { stop_ipvs; }

start_ipvs_dr() {
	answer_directly
	start_ipvs -g
}

stop_ipvs_dr() {
	stop_ipvs
	answer_by_balancer
}
