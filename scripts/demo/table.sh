# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The demo's table: what share of the new connections each backend should have, and has. To be
# sourced after scripts/testbed.sh. Shares are in tenths of a percent.

TICK_US=200000
TICKS=5 # a row

declare -a wanted=() counted=() shares=()
counted_us=0
arrived=0
second=0

now_us() { printf -v "$1" %s "${EPOCHREALTIME/[.,]/}"; }

read_wanted() {
	read -ra wanted < <(lb --json weight show web |
		jq -r '.weights | sort_by(.backend) | map(.wanted_share_percent * 10 | round) | join(" ")')
	[ ${#wanted[@]} -eq "$NODES" ] || fail "sluice weight show gave no shares"
}

# The balancer's counts of new connections by backend, and when that was.
read_counted() {
	read -ra counted < <(lb --json stats |
		jq -r '.backends | sort_by(.backend) | map(.new_flows) | join(" ")')
	now_us counted_us
	[ ${#counted[@]} -eq "$NODES" ] || fail "sluice stats gave no counts"
}

# shares_since COUNT...: of what arrived since then.
shares_since() {
	local -a before=("$@")
	local i
	arrived=0
	shares=()
	for ((i = 0; i < NODES; i++)); do arrived=$((arrived + counted[i] - before[i])); done
	for ((i = 0; i < NODES; i++)); do
		shares+=($((arrived ? ((counted[i] - before[i]) * 1000 + arrived / 2) / arrived : 0)))
	done
}

# as_percent VARIABLE SHARE
as_percent() { printf -v "$1" '%d.%d%%' $(($2 / 10)) $(($2 % 10)); }

# as_megabytes VARIABLE BYTES
as_megabytes() { printf -v "$1" '%d.%d MB' $(($2 / 1000000)) $(($2 / 100000 % 10)); }

# as_seconds VARIABLE MILLISECONDS
as_seconds() { printf -v "$1" '%d.%02d s' $(($2 / 1000)) $(($2 % 1000 / 10)); }

print_heading() {
	local i
	printf '\n%s%11s' "$BOLD" "new"
	for ((i = 1; i <= NODES; i++)); do printf '  %13s' "node-$i   "; done
	printf ' %8s\n%3s %7s' "long" "s" "conn/s"
	for ((i = 1; i <= NODES; i++)); do printf '  %6s %6s' wanted seen; done
	printf ' %8s%s\n' download "$PLAIN"
}

# print_row ELAPSED_US NOTE
print_row() {
	local i bytes text
	printf '%3d %7d' "$second" $((arrived * 1000000 / $1))
	for ((i = 0; i < NODES; i++)); do
		as_percent text "${wanted[i]}"
		printf '  %6s' "$text"
		as_percent text "${shares[i]}"
		printf ' %6s' "$text"
	done
	bytes=$(downloaded_bytes)
	as_megabytes text "$bytes"
	[ "$bytes" -lt "$DOWNLOAD_BYTES" ] || text=complete
	printf ' %8s%s\n' "$text" "${2:+  $GREEN$2$PLAIN}"
}

# Three quarters of the way from the share it had to the one that it should have?
has_moved() {
	local gap=$((shares[hot] - wanted[hot])) way=$((old_wanted - wanted[hot]))
	[ $((4 * ${gap#-})) -le "${way#-}" ]
}

sleep_until() {
	local now left
	now_us now
	left=$(($1 - now))
	[ "$left" -gt 0 ] && sleep "$(printf '0.%06d' "$left")"
}

# watch ROWS [REPORT_US]: a row each second, from the last reading of the counts on. Given the time
# of a report, and in old_wanted what was wanted before, it finds out when the share of the backend
# `hot` has moved, into moved_ms ("": it has not). The share that was seen from the second row on is
# left in settled.
watch() {
	local rows=$1 report_us=${2:-} row tick note text due=$counted_us row_us=$counted_us
	local -a at_row=("${counted[@]}") at_tick from=()
	moved_ms=
	for ((row = 1; row <= rows; row++)); do
		note=
		for ((tick = 1; tick <= TICKS; tick++)); do
			at_tick=("${counted[@]}")
			due=$((due + TICK_US))
			sleep_until "$due"
			read_counted
			[ -n "$report_us" ] && [ -z "$moved_ms" ] || continue
			shares_since "${at_tick[@]}"
			if has_moved; then
				moved_ms=$(((counted_us - report_us) / 1000))
				as_seconds text "$moved_ms"
				note="moved: $text"
			fi
		done
		shares_since "${at_row[@]}"
		second=$((second + 1))
		print_row $((counted_us - row_us)) "$note"
		row_us=$counted_us
		at_row=("${counted[@]}")
		[ "$row" -eq 1 ] && from=("${counted[@]}")
	done
	shares_since "${from[@]}"
	settled=${shares[hot]}
}
