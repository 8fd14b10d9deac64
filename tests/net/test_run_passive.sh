#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Passive health: a backend whose checks pass and whose clients get no answer loses its new flows.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

# configure PASSIVE: "web" is checked on another port, "unchecked" not at all.
configure() {
	cat >"$TMP/sluice.yaml" <<-YAML
		load: {flows_per_cpu: 4096, backends_max: 64}
		control: {publish_ms: 100}
		health: {check: tcp, port: 8080, interval_ms: 200, timeout_ms: 500, passive: $1}
		weights:
		  slow_start_ms: 0
		  constants: [passive.flows_min=10, health.retry_ms=2000, half_open_factor=0.3]
		services:
		  - {name: web, vip: $VIP, port: 80, proto: tcp, forward: ipip, local_count: false,
		     backends: [{name: b1, address: 10.0.1.2}, {name: b2, address: 10.0.2.2}]}
		  - {name: unchecked, vip: $VIP6, port: 81, proto: tcp, forward: ipip, local_count: false,
		     health: {check: none},
		     backends: [{name: u1, address: 10.0.1.2}, {name: u2, address: 10.0.2.2}]}
	YAML
}

# A new connection each 20 ms, given up after 4 s: an answer or none.
cat >"$TMP/clients.py" <<'PYTHON'
import selectors, socket, sys, time
address, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
waiting, selector = [], selectors.DefaultSelector()
print("ready", flush=True)
while True:
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setblocking(False)
    one.connect_ex((address, port))
    selector.register(one, selectors.EVENT_WRITE)
    waiting.append((time.monotonic() + 4, one))
    for key, _ in selector.select(0.001):
        selector.unregister(key.fileobj)
        key.fileobj.close()
    while waiting[0][0] < time.monotonic():
        one = waiting.pop(0)[1]
        if one.fileno() >= 0:
            selector.unregister(one)
            one.close()
    time.sleep(0.02)
PYTHON

start_clients() {
	in_background client python3 "$TMP/clients.py" "$1" "$2" >"$TMP/clients.$2" 2>&1
	wait_for 5 grep -q ready "$TMP/clients.$2" || exit 1
}

# At node 1: what becomes of SYNs for the services.
drop_syns() {
	in_ns node1 nft "add table inet sluice_test; add chain inet sluice_test in { type filter hook input priority 0; }
		add rule inet sluice_test in tcp dport { 80, 81 } tcp flags & (syn | ack) == syn $1 drop"
}
drop_nothing() { in_ns node1 nft delete table inet sluice_test; }

of_stats() { lb stats --json | jq ".backends[] | select(.backend == \"$1\") | .$2"; }
times_said() { grep -cE -- "$1" "$TMP/daemon.log"; }
said_twice() { [ "$(times_said "$1")" -ge 2 ]; }

network 2
servers 2 80 81 8080
configure true
start_daemon "the daemon starts"
lb attach c0 >/dev/null
let_in client eth0
start_clients "$VIP" 80
start_clients "$VIP6" 81

# --- loss that all see ---------------------------------------------------------------------------
drop_syns "numgen random mod 10 < 2"
sleep 6
check_equal "a fifth of the SYNs is lost: b1 stays" "$(of_backend b1 .state)" up
check_equal "and u1" "$(of_backend u1 .state)" up
check_equal "though SYNs are repeated" "$(of_stats b1 'syn_retransmits > 0')" true
check_equal "most get through" "$(of_stats b1 'established > .new_flows / 2')" true
drop_nothing
check_equal "none at b2" "$(of_stats b2 'syn_retransmits')" 0

# --- a backend that does not answer ----------------------------------------------------------------
drop_syns ""
becomes "no SYN is answered: b1 is down" 15 b1 .state failed
check_equal "the reason" "$(of_backend b1 .reason)" "down: its flows failed 3x"
becomes "also without any check: u1" 15 u1 .state failed
check "which is said" said 'backend b1 on b1 is down: its clients get no answer; .* 0 established'
check_equal "no check has failed" "$(times_said 'cannot connect|no answer in time')" 0
check "b1 is tried again" wait_for 15 said 'backend b1 on b1 is tried again'
check "in vain" wait_for 15 said_twice 'backend b1 on b1 is down'
check_equal "b2 has the flows" "$(of_backend b2 .state)" up

# --- and answers again -----------------------------------------------------------------------------
drop_nothing
becomes "b1 answers, and is back" 30 b1 .state up
becomes "and u1" 30 u1 .state up
forget_flows
sleep 4
check_equal "they stay" "$(of_backend b1 .state) $(of_backend u1 .state)" "up up"
check "b1 has new flows" test "$(flows_at 1 tcp 80)" -gt 0
check "u1 too" test "$(flows_at 1 tcp 81)" -gt 0

# --- unless it is not to be looked at ----------------------------------------------------------------
configure false
kill -HUP "$daemon_pid"
check "switched off" wait_for 5 said 'is in force'
before=$(times_said 'is down')
drop_syns ""
sleep 6
check_equal "nobody is down" "$(of_backend b1 .state) $(of_backend u1 .state)" "up up"
check_equal "nobody was" "$(times_said 'is down')" "$before"
finish
