#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Run every test, or those named: tests/run.sh [unit|prog|net|PATH]... All speak TAP; the last line
# is "N passed, N failed". Output of a test that failed is shown in full.
set -u
cd "$(dirname "$0")/.."

declare -a tests=()
for what in "${@:-all}"; do
	case $what in
	unit | prog) tests+=($(find build/tests/$what -maxdepth 1 -type f -executable | sort)) ;;
	net) tests+=($(find tests/net -name 'test_*.sh' | sort)) ;;
	all) tests+=($(find build/tests/unit build/tests/prog -maxdepth 1 -type f -executable | sort)
		$(find tests/net -name 'test_*.sh' | sort)) ;;
	*) tests+=("$what") ;;
	esac
done

log=$(mktemp)
child=
trap 'rm -f "$log"' EXIT
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null; wait; exit 130' INT TERM

passed=0
failed=0
for test in "${tests[@]}"; do
	started=$SECONDS
	CMOCKA_MESSAGE_OUTPUT=TAP setsid "$test" >"$log" 2>&1 </dev/null &
	child=$!
	wait "$child"
	status=$?
	child=
	ok=$(grep -c '^ok ' "$log")
	not_ok=$(grep -c '^not ok ' "$log")
	# A test that died, or that said nothing, is a failure even if no line says so.
	if [ "$not_ok" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$ok" -eq 0 ]; }; then
		not_ok=1
	fi
	printf '%-44s %4d passed %4d failed  %3d s\n' "${test#build/}" "$ok" "$not_ok" \
		$((SECONDS - started))
	if [ "$not_ok" -gt 0 ]; then
		sed 's/^/    /' "$log"
		echo "    (exit status $status)"
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
