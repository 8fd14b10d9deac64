#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon: reports by every source move weights, those that are not to be believed do not; checks
# take a dead backend out; commands, reload and signals do what they say.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

# configure [KEYS]: two backends, the second with more keys.
configure() {
	cat >"$TMP/sluice.yaml" <<-YAML
		load: {flows_per_cpu: 4096, backends_max: 64}
		control: {attach: [c0], publish_ms: 100}
		sources:
		  udp: 10.0.0.1:9601
		  key_file: $TMP/key
		  http: 10.0.0.1:9602
		  http_key_file: $TMP/http_key
		  file: $TMP/reports.json
		  pull_ms: 200
		  pull_port: 9100
		health: {interval_ms: 100, timeout_ms: 90, fall: 3, rise: 2}
		weights: {policy: edge}
		$(web_yaml 2 "${1-}")
	YAML
}

start_server() {
	in_background "node$1" "$HELPERS/server" "$1" "$TMP/node$1.log" 80
	server_pid=$!
	wait_for 5 grep -q ready "$TMP/node$1.log"
}

# report CPU: what node 1 says of itself. Latency above 50 ms halves the weight, CPU from 65 takes 0.7.
report() { echo "[{\"node_id\": \"node-1\", \"cpu_percent\": $1, \"latency_ms\": 60}]" >"$TMP/report"; }

# envelope KEY SENDER SEQUENCE AGE-MS CPU >FILE: made with other code than the daemon's.
envelope() {
	python3 - "$@" <<-'PYTHON'
		import hashlib, hmac, struct, sys, time
		key, sender, sequence, age_ms, cpu = sys.argv[1], *map(int, sys.argv[2:])
		sent_ms = int(time.time() * 1000) - age_ms
		header = b"SLR1" + struct.pack(">LQQQ", 0, sender, sequence, sent_ms)
		text = b'{"node_id": "node-1", "cpu_percent": %d}' % cpu
		proof = hmac.new(key.encode(), header + text, hashlib.sha256).digest()
		sys.stdout.buffer.write(header + proof + text)
	PYTHON
}

send_datagram() { in_ns client python3 -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(open(sys.argv[1], "rb").read(), ("10.0.0.1", 9601))' "$1"; }

# udp_counted COUNTER NUMBER
udp_counted() { [ "$(daemon_status ".sources.udp.$1")" = "$2" ]; }

post() {
	in_ns client curl -s -o "$TMP/answer" -w '%{http_code}' -H "Authorization: Bearer $1" \
		--data-binary "@$2" http://10.0.0.1:9602/v1/reports
}

# request JSON-LINE: to the control socket, as any program may.
request() {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b"\n")
print(s.makefile().readline(), end="")' "/run/$ID/control.sock" "$1"
}

network 2
secret=0123456789abcdef0123456789abcdef
echo $secret >"$TMP/key"
echo another-secret-of-this-test >"$TMP/http_key"
chmod 600 "$TMP/key"
start_server 1
first_server=$server_pid
start_server 2
mkdir "$TMP/www"
in_background node1 python3 -m http.server -d "$TMP/www" 9100 >/dev/null 2>&1

configure
start_daemon "the daemon loads, attaches and is ready"
check "it says what it attached" said 'start: c0 had no program: attached$'
check "and how much it has" said 'ready: 1 service, control'
check_equal "it has a process id" "$(daemon_status .pid)" "$daemon_pid"
check_fails "there is only one" 1 "another daemon serves" lb run -c "$TMP/sluice.yaml"
check_flows "traffic goes through" 100

# --- reports by each source ----------------------------------------------------------------------
report 10
check "a report to the unix socket" lb report send "$TMP/report"
becomes "moves the weight" 5 b1 .weight 50
check_equal "and says why" "$(of_backend b1 .reason)" "latency 60 ms > 50: x0.5"
report 70
check "a report by UDP" in_ns client "$SLUICE" report send "$TMP/report" --to 10.0.0.1:9601 --key "$TMP/key"
becomes "moves the weight" 5 b1 .weight 35
report 10
check_equal "a report by HTTP" "$(post another-secret-of-this-test "$TMP/report")" 200
becomes "moves the weight" 5 b1 .weight 50
check_equal "HTTP without the key" "$(post wrong "$TMP/report")" 401
echo '[{"node_id": "node-1", "cpu_percent": 101}]' >"$TMP/bad"
check_equal "HTTP with an impossible value" "$(post another-secret-of-this-test "$TMP/bad")" 400
check_equal "is told which" "$(jq -r .error "$TMP/answer")" \
	"report 1 (node-1): cpu_percent is 101, expected 0 to 100"
report 70
cp "$TMP/report" "$TMP/new" && mv "$TMP/new" "$TMP/reports.json"
becomes "a report in the watched file moves the weight" 5 b1 .weight 35
echo '{"cpu": 5, "mem": 10}' >"$TMP/www/health"
becomes "a report that is asked for moves the weight" 5 b1 .weight 100
check_equal "status has each source" \
	"$(daemon_status '.sources | [.udp.reports, .unix.reports, .http.reports, .file.reports, .pull.reports > 0]')" \
	"[1,1,1,1,true]"
check_equal "and the last report of each node" \
	"$(daemon_status '.nodes | map([.node, .age_ms != null])')" '[["node-1",true],["node-2",false]]'
rm "$TMP/www/health"

# --- who is not to be believed -------------------------------------------------------------------
envelope another-secret-0123456789 8 1 0 90 >"$TMP/forged"
envelope $secret 9 1 20000 90 >"$TMP/old"
envelope $secret 9 2 -100000 90 >"$TMP/early"
head -c 40 "$TMP/forged" >"$TMP/cut"
for file in forged old early cut; do send_datagram "$TMP/$file"; done
check "forged datagrams are refused and counted" wait_for 5 udp_counted forged 1
check "old and early ones" wait_for 5 udp_counted untimely 2
check "cut ones" wait_for 5 udp_counted malformed 1
echo '[{"node_id": "stranger"}]' >"$TMP/stranger"
lb report send "$TMP/stranger"
strangers_are() { [ "$(daemon_status .sources.unix.strangers)" = "$1" ]; }
check "a stranger is counted" wait_for 5 strangers_are 1
lb report send "$TMP/stranger"
check "each time" wait_for 5 strangers_are 2
check_equal "and named once" "$(grep -c 'warning: unix: no backend lives on node stranger$' "$TMP/daemon.log")" 1
check_equal "and move nothing" "$(of_backend b1 .weight)" 100
envelope $secret 7 1 0 90 >"$TMP/good"
send_datagram "$TMP/good"
becomes "the good one is believed" 5 b1 .weight 0
send_datagram "$TMP/good"
check "a replayed one is not" wait_for 5 udp_counted replayed 1
report 10
lb report send "$TMP/report"
becomes "the next report counts" 5 b1 .weight 50

# --- commands through the daemon -----------------------------------------------------------------
in_background lb "$SLUICE" --pin "$PIN" --json report watch >"$TMP/watch"
# From another namespace: routes are those of the daemon's.
check "a command of another namespace" \
	in_ns client "$SLUICE" --pin "$PIN" backend add web b3 --address 10.0.2.2:81 --node node-3
check_equal "is done where the daemon is" \
	"$(lb backend list web --json | jq -r '.[] | select(.backend == "b3").next_hop')" resolved
check_fails "errors come back" 1 "service web has a backend .?b3|already" \
	lb backend add web b3 --address 10.0.2.2:81
check_equal "the socket takes JSON" \
	"$(request '{"argv": ["backend", "del", "web", "b3"]}' | jq -c '[.status, .output, .errors]')" '[0,"",""]'
check_equal "what is no request is refused" \
	"$(request '{"no": 1}' | jq -r .error)" "expected a line of JSON with argv, or request: status or watch"
check_equal "a report on standard input" "$(lb weight apply - <"$TMP/report" 2>&1)" ""
check_fails "what it works with cannot be unloaded" 1 "stop it first" lb unload
lb report send "$TMP/report"
check "who watches sees reports" wait_for 5 grep -q '"source":"unix","report":\[{"node_id":"node-1"' "$TMP/watch"

# --- reload --------------------------------------------------------------------------------------
configure ", weight: 200"
kill -HUP "$daemon_pid"
becomes "reload: a new base weight" 5 b2 .base_weight 200
configure ", weight: heavy"
kill -HUP "$daemon_pid"
check "reload: one that is wrong is refused in one line" \
	wait_for 5 said 'error: reload: .*/sluice.yaml:21: services.0..backends.1..weight: got "heavy", expected a whole'
check_equal "and nothing changes" "$(of_backend b2 .base_weight)" 200
check_equal "status says so" "$(daemon_status .reload_error | grep -c heavy)" 1
configure ", weight: 200"
sed -i 's/9602/9601999/' "$TMP/sluice.yaml"
kill -HUP "$daemon_pid"
check "reload: a port that is none" wait_for 5 said 'http: got .10.0.0.1:9601999.'
check_equal "the old one is still open" "$(post another-secret-of-this-test "$TMP/report")" 200
configure
kill -HUP "$daemon_pid"
becomes "reload: back" 5 b2 .base_weight 100

echo 00112233445566778899aabbccddeeff >"$TMP/key"
sed -i 's/9602/9603/' "$TMP/sluice.yaml"
kill -HUP "$daemon_pid"
check "reload: another port" wait_for 5 in_ns client curl -s http://10.0.0.1:9603/
check_fails "the old one is closed" 7 "" in_ns client curl -s http://10.0.0.1:9602/
forged=$(daemon_status .sources.udp.forged)
envelope $secret 10 1 0 90 >"$TMP/forged"
send_datagram "$TMP/forged"
check "and another key" wait_for 5 udp_counted forged $((forged + 1))
report 70
check "with which reports are sealed" \
	in_ns client "$SLUICE" report send "$TMP/report" --to 10.0.0.1:9601 --key "$TMP/key"
becomes "and believed" 5 b1 .weight 35

# --- others who change the maps ------------------------------------------------------------------
check "a command that passes the daemon by" lb --direct backend set web b2 --weight 300
becomes "changes what it works with" 5 b2 .base_weight 300
report 10
lb report send "$TMP/report"
becomes "and what it does next leaves that" 5 b1 .weight 50
check_equal "as it is" "$(of_backend b2 .base_weight)" 300

# --- next hops -----------------------------------------------------------------------------------
mac=$(lb backend list --json | jq -r '.[] | select(.backend == "b1").mac')
in_ns lb ip neigh replace 10.0.1.2 lladdr 02:00:00:00:00:77 dev n1 nud permanent
mac_is() { [ "$(lb backend list --json | jq -r '.[] | select(.backend == "b1").mac')" = "$1" ]; }
check "a neighbour's new MAC address is followed" wait_for 5 mac_is 02:00:00:00:00:77
in_ns lb ip neigh replace 10.0.1.2 lladdr "$mac" dev n1 nud reachable
check "and followed back" wait_for 5 mac_is "$mac"
in_ns lb ip link set n1 down
unreachable() { lb status --json | jq -e '.unreachable | length > 0'; }
check "a device that goes down is noticed" wait_for 5 unreachable
check_flows "nothing goes there" 100
in_ns lb ip link set n1 up
check "one that comes back as well" wait_for 10 eval '! unreachable'

# --- self-check ----------------------------------------------------------------------------------
check "somebody detaches it" lb --direct detach c0
kill -USR1 "$daemon_pid"
check "self-check attaches it again" wait_for 10 said 'check: c0 had no program; attached'
check_equal "status has the result" \
	"$(daemon_status '.check.findings | map(select(.found == "c0 had no program").repair)')" '["attached"]'
check_flows "traffic goes through" 100

# --- health --------------------------------------------------------------------------------------
kill -9 "$first_server"
becomes "a dead server is out" 5 b1 .state failed
check_equal "the list of backends says so" \
	"$(lb backend list web --json | jq -c 'map([.backend, .state])')" '[["b1","failed"],["b2","up"]]'
check_flows "and gets no new flow" 300
check "the log says so" said 'backend b1 on node-1 is down: Connection refused'
start_server 1
becomes "it comes back" 5 b1 .state up

# --- the end -------------------------------------------------------------------------------------
kill -TERM "$daemon_pid"
check "it stops when told" wait_for 5 eval "! kill -0 $daemon_pid"
check_flows "and everything goes on" 100
check "commands do their work themselves" lb weight set web b1=10
check_equal "as ever" "$(of_backend b1 .weight)" 10
check_fails "nobody shows reports" 1 "no daemon runs" lb report watch
check "now it can be unloaded" lb unload
finish
