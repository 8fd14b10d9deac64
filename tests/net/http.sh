# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Real HTTP for tests that source lib.sh: contents that are compared by their SHA-256.

http_node= # that answered last

# http_nodes NODES PORT...: see http_node.py.
http_nodes() {
	local nodes=$1 i
	shift
	for ((i = 1; i <= nodes; i++)); do
		in_background "node$i" python3 "$ROOT/tests/net/http_node.py" "$i" "$@" \
			>"$TMP/http$i.log"
	done
	for ((i = 1; i <= nodes; i++)); do
		wait_for 10 grep -q ready "$TMP/http$i.log" || exit 1
	done
}

# What a server sends who is asked for that many bytes (see http_node.py).
http_content() { python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(1).randbytes(int(sys.argv[1])))' "$1"; }

sha256_of() { sha256sum <"$1" | cut -d' ' -f1; }

# Leaves the node that answered in $http_node. A stall is a failure.
http_ask() {
	in_ns client curl -sS --connect-timeout 5 --max-time 20 -D "$TMP/headers" "$@"
	local status=$?
	http_node=$(awk 'tolower($1) == "node:" { print $2 + 0 }' "$TMP/headers")
	return $status
}

# download URL: must be what http_content wrote to $TMP/content.
download() {
	http_ask -o "$TMP/download" "$1/$(stat -c %s "$TMP/content")" || return 1
	[ "$(sha256_of "$TMP/download")" = "$(sha256_of "$TMP/content")" ]
}

upload() {
	http_ask -o "$TMP/sum" -T "$TMP/content" -H Expect: "$1/" || return 1
	[ "$(cat "$TMP/sum")" = "$(sha256_of "$TMP/content")" ]
}

# check_transfer NAME COMMAND...: like check, but what the command says of itself stays.
check_transfer() {
	local name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name" "$* failed"; fi
}
