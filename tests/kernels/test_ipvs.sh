#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The live bench with the kernel's own balancer: every contestant balances and answers. The
# figures are an emulated machine's: only their ratios say something. COMPARISON: keep them there.
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
CONTESTANTS="direct ipvs-nat ipvs-dr nftables sluice-ipip"
COMPARISON=${COMPARISON:-/dev/null}

if text=$("$ROOT/tests/bench/live/run.sh" --rounds 1 --seconds 5 --frames "" \
	--http "$CONTESTANTS" 2>&1); then
	echo "ok 1 - the bench runs"
else
	echo "not ok 1 - the bench runs"
fi
sed 's/^/# /' <<<"$text"
echo "$text" >"$COMPARISON"

# Rows: contestant, requests a second, ..., failed; one table for each kind of connection. A request
# that the emulation was too slow for (wrk waits 2 s) is nobody's fault, but they are few.
number=1
for name in $CONTESTANTS; do
	rows=$(awk -v name="$name" '$1 == name && $2 > 0 && $NF < 0.01 * 5 * $2' <<<"$text" | wc -l)
	result=ok
	[ "$rows" -eq 2 ] || result="not ok"
	echo "$result $((number += 1)) - $name: requests of both kinds, 99 in 100 answered"
done
echo "1..$number"
