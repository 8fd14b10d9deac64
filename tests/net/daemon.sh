# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the tests of the daemon share. To be sourced behind lib.sh.

daemon_pid=

# web_yaml NODES [KEYS]: a service "web" with a backend "bI" on each node, the last with more keys.
web_yaml() {
	local i
	cat <<-YAML
		services:
		  - name: web
		    vip: $VIP
		    port: 80
		    proto: tcp
		    forward: ipip
		    backends:
	YAML
	for ((i = 1; i < $1; i++)); do echo "      - {name: b$i, address: 10.0.$i.2, node: node-$i}"; done
	echo "      - {name: b$1, address: 10.0.$1.2, node: node-$1${2-}}"
}

# start_daemon NAME: of $TMP/sluice.yaml; must become ready. Its log is in $TMP/daemon.log.
start_daemon() {
	: >"$TMP/daemon.log"
	in_background lb "$SLUICE" --pin "$PIN" run --config "$TMP/sluice.yaml" 2>>"$TMP/daemon.log"
	daemon_pid=$!
	if wait_for 20 said 'ready: '; then ok "$1"; else not_ok "$1" "$(cat "$TMP/daemon.log")"; fi
}

# said PATTERN: the daemon, in its log.
said() { grep -qE -- "$1" "$TMP/daemon.log"; }

# daemon_status FILTER: of what the daemon says of itself.
daemon_status() { lb status --json | jq -c ".daemon$1"; }

# of_backend NAME FILTER
of_backend() { lb weight show --json | jq -r ".weights[] | select(.backend == \"$1\") | $2"; }

# becomes NAME SECONDS BACKEND FILTER VALUE: what `weight show` says of a backend.
becomes() {
	local until=$((SECONDS + $2)) got
	until got=$(of_backend "$3" "$4") && [ "$got" = "$5" ]; do
		if [ "$SECONDS" -ge "$until" ]; then
			not_ok "$1" "$4 of $3 is '$got', expected '$5'" "$(cat "$TMP/daemon.log")"
			return 1
		fi
		sleep 0.05
	done
	ok "$1"
}

# check_flows NAME COUNT: of so many short flows to port 80, none may fail.
check_flows() {
	short_flows tcp "$VIP" 80 "$2"
	check_equal "$1" "$(value short ok) ok, $(value short failed) failed, $(value short resets) reset" \
		"$2 ok, 0 failed, 0 reset"
}
