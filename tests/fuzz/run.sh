#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh: fuzz both programs with the binaries in build/fuzz for FUZZ_SECONDS (60) in all. What was
# found is left in build/fuzz, as is the corpus that grows from run to run.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=build/fuzz
seconds=${FUZZ_SECONDS:-60}
fuzzer=

case $seconds in
'' | *[!0-9]* | 0*)
	echo "fuzz: FUZZ_SECONDS is \"$seconds\"; expected whole seconds, 1 or more" >&2
	exit 2
	;;
esac

trap '[ -z "$fuzzer" ] || kill "$fuzzer" 2>/dev/null; exit 130' INT TERM HUP

# run_target NAME SECONDS
run_target() {
	local name=$1 log=$out/$1.log status
	mkdir -p "$out/corpus-$name"
	rm -f "$out/$name"-{crash,leak,timeout,oom}-*
	"$out/$name" -max_total_time="$2" -max_len=4096 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$out/$name-" "$out/corpus-$name" "tests/fuzz/corpus/$name" \
		>"$log" 2>&1 &
	fuzzer=$!
	wait "$fuzzer"
	status=$?
	fuzzer=
	awk -v name="$name" -v seeds="$(find "tests/fuzz/corpus/$name" -type f | wc -l)" '
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
		/^stat::number_of_executed_units:/ { runs = $2 }
		/^stat::average_exec_per_sec:/ { rate = $2 }
		END { printf "%-5s %9d executions (%d/s), %d edges and %d features covered, from %d seeds\n", name, runs, rate, edges, features, seeds }
	' "$log"
	[ "$status" -eq 0 ] && return 0
	grep -m 3 -E 'fuzz: |ERROR: |runtime error: ' "$log"
	grep -m 4 -E '#[0-9]+ 0x[0-9a-f]+ in .* [^ ]*(bpf|tests/fuzz)/' "$log"
	for found in "$out/$name"-{crash,leak,timeout,oom}-*; do
		[ -e "$found" ] && echo "fuzz: reproduce with: $out/$name $found"
	done
	echo "fuzz: $name: a finding; all of it is in $log"
	return 1
}

failed=0
# The balancer's program is the larger part.
run_target lb $(((seconds * 2 + 2) / 3)) || failed=1
if [ "$seconds" -ge 2 ]; then
	run_target node $((seconds - (seconds * 2 + 2) / 3)) || failed=1
fi
exit "$failed"
