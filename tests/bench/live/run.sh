#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The live bench, in network namespaces of its own: how many small frames a second one CPU takes
# through the balancer, and what an HTTP request costs the machine through Sluice and through others.
# Needs root; leaves nothing behind. Exit status 0 only if everything that was asked for was measured.

LIVE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../common.sh
. "$LIVE/../common.sh"

BENCH=bench-live
OPTIONS="rounds seconds frames http cpu"

usage() {
	cat <<-END
		usage: run.sh [OPTION]...
		  --quick         1 round of 1 s instead of 3 of 3 s
		  --rounds N      1 to 100
		  --seconds N     a measurement, 1 to 60
		  --frames LIST   "$FRAMES_DEFAULT"; "" for none
		  --http LIST     "$HTTP_DEFAULT"; "" for none
		  --cpu N         the CPU that the frames take; the last one by default
		  --json
	END
}

FRAMES_DEFAULT="drop redirect dsr ipip gue"
HTTP_DEFAULT="direct sluice-dsr sluice-ipip sluice-gue nftables haproxy nginx-stream"
FRAMES_FLOWS="1 10000"

frames=$FRAMES_DEFAULT
http=$HTTP_DEFAULT
rounds=3
seconds=3
cpu=$(($(nproc) - 1))

quick() { rounds=1 seconds=1; }

check_option() {
	case $1 in
	rounds) check_number rounds "$2" 1 100 ;;
	seconds) check_number seconds "$2" 1 60 ;;
	cpu) check_number cpu "$2" 0 $(($(nproc) - 1)) ;;
	esac
}

take_options "$@"

# shellcheck source=../../../scripts/testbed.sh
. "$LIVE/../../../scripts/testbed.sh"
# shellcheck source=frames.sh
. "$LIVE/frames.sh"
# shellcheck source=contestants.sh
. "$LIVE/contestants.sh"
# shellcheck source=http.sh
. "$LIVE/http.sh"
# shellcheck source=table.sh
. "$LIVE/table.sh"

for name in $http; do
	declare -F "start_${name//-/_}" >/dev/null || refuse "--http: '$name' is not known, see --help"
done
check_machine "$SLUICE" "$GENERATOR"

# How busy the machine is with what is not ours.
measure_background() {
	local before
	before=$(busy_ticks)
	sleep 0.5
	jq -nc --argjson ticks $(($(busy_ticks) - before)) --argjson hz "$(getconf CLK_TCK)" \
		'{part: "background", cpu_percent: (100 * $ticks / ($hz * 0.5))}' >>"$TMP/samples"
}

network 2
[ -z "$http" ] || prepare_http
for ((round = 1; round <= rounds; round++)); do
	measure_background
	[ -z "$frames" ] || measure_frames
	[ -z "$http" ] || measure_http
done
progress ''

jq -s --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --argjson rounds "$rounds" \
	--argjson seconds "$seconds" -f "$LIVE/summary.jq" "$TMP/samples" >"$TMP/summary" ||
	fail "the samples make no summary"
if [ -n "$json" ]; then cat "$TMP/summary"; else print_summary; fi
