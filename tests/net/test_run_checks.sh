#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Health checks by HTTP and HTTPS, over IPv4 and IPv6: a status, silence, a certificate decide.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"

# configure VERIFY: a service by HTTP, one by HTTPS, one whose server says nothing.
configure() {
	cat >"$TMP/sluice.yaml" <<-YAML
		load: {flows_per_cpu: 4096, backends_max: 64}
		control: {publish_ms: 100}
		health: {interval_ms: 100, timeout_ms: 500, path: /up}
		services:
		  - {name: plain, vip: $VIP, port: 80, proto: tcp, forward: ipip,
		     health: {check: http, port: 8080},
		     backends: [{name: h4, address: 10.0.1.2}, {name: h6, address: "fd00:0:0:1::2"},
		                {name: other, address: 10.0.2.2}]}
		  - {name: tls, vip: $VIP, port: 443, proto: tcp, forward: ipip,
		     health: {check: https, port: 8443, host: node.test, verify: $1},
		     backends: [{name: s4, address: 10.0.1.2}, {name: s6, address: "fd00:0:0:1::2"},
		                {name: s2, address: 10.0.2.2}]}
		  - {name: mute, vip: $VIP, port: 81, proto: tcp, forward: ipip,
		     health: {check: http, port: 8081},
		     backends: [{name: m, address: 10.0.1.2}, {name: m2, address: 10.0.2.2, weight: 1}]}
		  - {name: datagrams, vip: $VIP, port: 53, proto: udp, forward: ipip,
		     backends: [{name: d, address: 10.0.1.2}]}
	YAML
}

cat >"$TMP/web.py" <<'PYTHON'
import http.server, socket, ssl, sys
directory, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3:]

class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments):
        super().__init__(*arguments, directory=directory)

    def log_message(self, *arguments):
        print(self.headers["Host"], self.headers["User-Agent"], flush=True)

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

server = Server(("::", port), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[0])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON

network 2
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=node.test -keyout "$TMP/tls.pem" \
	-out "$TMP/certificate" 2>/dev/null && cat "$TMP/certificate" >>"$TMP/tls.pem"
for i in 1 2; do
	mkdir "$TMP/www$i"
	touch "$TMP/www$i/up"
	in_background "node$i" python3 "$TMP/web.py" "$TMP/www$i" 8080 >"$TMP/plain$i.log" 2>&1
	plain=$!
	in_background "node$i" python3 "$TMP/web.py" "$TMP/www$i" 8443 "$TMP/tls.pem" >/dev/null 2>&1
	in_background "node$i" python3 "$TMP/web.py" "$TMP/www$i" 8081 >/dev/null 2>&1
	mute=$!
	for url in http://127.0.0.1:8080 http://127.0.0.1:8081 https://127.0.0.1:8443; do
		wait_for 10 in_ns "node$i" curl -sk -o /dev/null "$url/up" || exit 1
	done
	[ $i = 1 ] && kill -STOP "$mute" # connections are made, and nobody answers
done

configure false
start_daemon "the daemon starts"
becomes "who does not answer is down" 10 m .state failed
check "for want of an answer" said 'backend m on m is down: no answer in time'
for backend in h4 h6 s4 s6 other; do
	becomes "$backend is up" 5 $backend .state up
done
check "the request says who asks, and whom" grep -q '^10.0.1.2:8080 sluice/' "$TMP/plain1.log"
check "also by IPv6" grep -q '^\[fd00:0:0:1::2\]:8080 sluice/' "$TMP/plain1.log"
check_equal "UDP is not checked" "$(of_backend d .state)" up

rm "$TMP/www1/up"
for backend in h4 h6 s4 s6; do
	becomes "the wrong status: $backend is down" 5 $backend .state failed
done
check "and why" said 'backend h4 on h4 is down: status 404'
check_equal "the reason is kept" "$(of_backend h4 .reason)" "down: http check failed 3x"
touch "$TMP/www1/up"
for backend in h4 h6 s4 s6; do
	becomes "the right one: $backend is up" 5 $backend .state up
done

kill "$plain"
becomes "a server that is not there: other is down" 5 other .state failed
check "and why" said 'backend other on other is down: cannot connect'

configure true
kill -HUP "$daemon_pid"
becomes "a certificate that nobody vouches for" 5 s4 .state failed
check "and why" said 'backend s4 on s4 is down: TLS: certificate verify failed'
check_equal "plain ones stay" "$(of_backend h4 .state)" up
configure false
kill -HUP "$daemon_pid"
becomes "need not be good" 5 s4 .state up
finish
