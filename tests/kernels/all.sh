#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What runs in the guest by default: the tests, then the comparison that one of them made. The last
# line is that of tests/run.sh.
set -o pipefail
cd "$(dirname "$0")/../.." || exit 1
COMPARISON=$(mktemp)
export COMPARISON
log=$(mktemp)
export EMULATED=1
tests/run.sh tests/kernels/test_*.sh tests/net/test_{shares,families,drain,attach}.sh prog |
	tee "$log" | sed -u '$d'
status=$?
printf '\n%s\n\n' "$(cat "$COMPARISON")"
tail -n 1 "$log"
rm -f "$log" "$COMPARISON"
exit "$status"
