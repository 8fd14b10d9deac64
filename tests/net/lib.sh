# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a network test says, in TAP. The network itself is that of scripts/testbed.sh.

# shellcheck source=../../scripts/testbed.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/testbed.sh"

test_number=0
test_failures=0

ok() {
	test_number=$((test_number + 1))
	echo "ok $test_number - $1"
}

not_ok() {
	test_number=$((test_number + 1))
	test_failures=$((test_failures + 1))
	echo "not ok $test_number - $1"
	shift
	[ $# -eq 0 ] || printf '# %s\n' "$@"
}

# check NAME COMMAND...: the command must succeed.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* failed: $output"; fi
}

# check_equal NAME GOT EXPECTED
check_equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', expected '$3'"; fi
}

# check_fails NAME STATUS PATTERN COMMAND...: must exit with STATUS and say PATTERN.
check_fails() {
	local name=$1 status=$2 pattern=$3 output got
	shift 3
	output=$("$@" 2>&1)
	got=$?
	if [ "$got" -ne "$status" ]; then
		not_ok "$name" "exit status $got, expected $status: $output"
	elif ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$name" "said '$output', expected /$pattern/"
	else
		ok "$name"
	fi
}

finish() {
	echo "1..$test_number"
	[ "$test_failures" -eq 0 ]
	exit
}
