#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules for all traffic, and the guard of the operator's SSH session: what would cut it is refused,
# by every way that leads to the rules, unless it is forced.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
. "$(dirname "$0")/policy.sh"

# configure ALL-TRAFFIC DENIED
configure() {
	cat >"$TMP/sluice.yaml" <<-YAML
		control: {attach: [c0]}
		services: [{name: web, vip: $VIP, port: 80, proto: tcp}]
		policy: {all_traffic: $1, rules: [{action: deny, source: $2, comment: of the configuration}]}
	YAML
}

# What an SSH server is to the guard: an established connection to port 22.
cat >"$TMP/echo.py" <<'PYTHON'
import socket, sys
listener = socket.create_server(("::", 22), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    while data := connection.recv(64):
        connection.sendall(data)
PYTHON
# Says "alive" at each line that is asked for, as long as answers come.
cat >"$TMP/session.py" <<'PYTHON'
import socket, sys
session = socket.create_connection((sys.argv[1], 22), 5)
session.settimeout(1)
print("open", flush=True)
for line in sys.stdin:
    try:
        session.sendall(b"x")
        print("alive" if session.recv(64) else "closed", flush=True)
    except OSError:
        print("cut", flush=True)
PYTHON

# session_is: whether the session still passes.
session_is() {
	echo >&"${session[1]}"
	read -r -t 5 answer <&"${session[0]}"
	echo "$answer"
}

network 1
client_addresses 3
in_background lb python3 "$TMP/echo.py" >"$TMP/echo.log"
wait_for 5 grep -q ready "$TMP/echo.log"
check "load" lb load
check "attach" lb attach c0
service web 80 tcp dsr 1
coproc session { in_ns client python3 "$TMP/session.py" 10.0.0.1; }
test_pids+=($!)
read -r -t 5 answer <&"${session[0]}"
check_equal "a session" "$answer $(session_is)" "open alive"

# --- refused -------------------------------------------------------------------------------------
check "rules for services only cut no session" lb policy add deny 10.0.0.0/24 --comment everybody
check_equal "indeed" "$(session_is)" alive
check_fails "for all traffic they would" 1 "rule 1 \(deny, everybody\) would cut the SSH session from 10.0.0.2; --force" \
	lb policy add deny 192.0.2.99 --all-traffic on
configure true 10.0.0.2
check_fails "in a new set as well" 1 "rule 2 .*would cut the SSH session from 10.0.0.2; --force" \
	lb policy replace "$TMP/sluice.yaml"
check_fails "and in a configuration" 1 "would cut the SSH session from 10.0.0.2" \
	lb load --config "$TMP/sluice.yaml"
check_equal "nothing has changed" "$(lb policy list --json | jq -c '[.all_traffic, [.rules[].source]]')" \
	'[false,["10.0.0.0/24"]]'
check "an exception for it" lb policy add allow 10.0.0.2 --all-traffic on
check_equal "it passes" "$(session_is)" alive
check_equal "others do not" "$(in_ns client ping -c 1 -W 1 -I 10.0.0.3 10.0.0.1 | grep -c '1 received')" 0
check_equal "and it does" "$(in_ns client ping -c 1 -W 1 -I 10.0.0.2 10.0.0.1 | grep -c '1 received')" 1
check_fails "taking that away again" 1 "rule 1 .*10.0.0.2" lb policy del 2
check_fails "so does a limit in its place" 1 "would limit the SSH session from 10.0.0.2" \
	lb policy add limit 10.0.0.2 --packets 1
check_fails "what SSH_CONNECTION says counts" 1 "rule 3 .*from 198.51.100.7" \
	env SSH_CONNECTION="198.51.100.7 50000 10.0.0.1 22" nsenter --net="/run/netns/$ID-lb" \
	"$SLUICE" --pin "$PIN" policy add deny 198.51.100.0/24
check "nobody's session" lb policy add deny 198.51.100.0/24

# --- through the daemon --------------------------------------------------------------------------
configure true 10.0.0.3
start_daemon "a daemon whose configuration cuts nobody"
check_equal "its rules are in force" "$(lb policy list --json | jq -c '[.all_traffic, [.rules[].source]]')" \
	'[true,["10.0.0.3"]]'
check_fails "a command through it" 1 "from 10.0.0.2" lb policy add deny 10.0.0.2
check_fails "with the caller's own session" 1 "from 198.51.100.7" \
	env SSH_CONNECTION="198.51.100.7 50000 10.0.0.1 22" nsenter --net="/run/netns/$ID-lb" \
	"$SLUICE" --pin "$PIN" policy add deny 198.51.100.0/24
check "another rule" lb policy add deny 192.0.2.7 --comment "by command"
configure true 10.0.0.2
kill -HUP "$daemon_pid"
check "a reload that would cut it is refused" wait_for 5 said "reload: .*SSH session from 10.0.0.2.*stays"
check_equal "and changes nothing" "$(lb policy list --json | jq -c '[.rules[].source]')" \
	'["10.0.0.3","192.0.2.7"]'
configure true 10.0.0.3
kill -HUP "$daemon_pid"
check "one that cuts nobody is not" wait_for 5 said "is in force, 1 service$"
check_equal "what only a command had added goes" "$(lb policy list --json | jq -c '[.rules[].source]')" \
	'["10.0.0.3"]'
check_equal "the session has seen nothing of it" "$(session_is)" alive

# --- forced --------------------------------------------------------------------------------------
check "forced" lb policy add deny 10.0.0.2 --force
check_equal "it is cut" "$(session_is)" cut
check "what is cut already is no reason to refuse" lb policy add deny 192.0.2.8
finish
