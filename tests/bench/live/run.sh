#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The live bench, in network namespaces of its own: how many small frames a second one CPU takes
# through the balancer, and what an HTTP request costs the machine through Sluice and through others.
# Needs root; leaves nothing behind. Exit status 0 only if everything that was asked for was measured.

export LC_ALL=C

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
json=

refuse() {
	echo "bench-live: $1" >&2
	exit 2
}

fail() {
	echo "bench-live: $1" >&2
	exit 1
}

# take_number NAME TEXT MIN MAX: into the variable NAME.
take_number() {
	if ! [[ $2 =~ ^[0-9]{1,4}$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		refuse "--$1 is '$2', expected $3 to $4"
	fi
	printf -v "$1" %d "$((10#$2))"
}

# take_option NAME [VALUE]...: one of those that have a value.
take_option() {
	case $1 in
	--rounds | --seconds | --frames | --http | --cpu) ;;
	*) refuse "'$1' is not known, see --help" ;;
	esac
	[ $# -ge 2 ] || refuse "$1 needs a value"
	case $1 in
	--rounds) take_number rounds "$2" 1 100 ;;
	--seconds) take_number seconds "$2" 1 60 ;;
	--frames) frames=$2 ;;
	--http) http=$2 ;;
	--cpu) take_number cpu "$2" 0 "$(($(nproc) - 1))" ;;
	esac
}

while [ $# -gt 0 ]; do
	case $1 in
	--quick) rounds=1 seconds=1 ;;
	--json) json=yes ;;
	--help | -h)
		usage
		exit 0
		;;
	*)
		take_option "$@"
		shift
		;;
	esac
	shift
done

LIVE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
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
[ "$(id -u)" -eq 0 ] || fail "network namespaces and BPF programs need root"
for name in "$SLUICE" "$GENERATOR"; do
	[ -x "$name" ] || fail "$name is not there: run make bench-live"
done

# progress TEXT: only for those who watch.
progress() { [ ! -t 2 ] || printf '\r\e[K%s' "${1:+[round $round of $rounds] $1}" >&2; }

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
round='' progress ''

jq -s --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --argjson rounds "$rounds" \
	--argjson seconds "$seconds" -f "$LIVE/summary.jq" "$TMP/samples" >"$TMP/summary" ||
	fail "the samples make no summary"
if [ -n "$json" ]; then cat "$TMP/summary"; else print_summary; fi
