# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Frames as tcpdump saw them and tshark reads them, for tests that source lib.sh.

# start_capture NAMESPACE DEVICE FILE [FILTER]: what comes in. Its buffer is cut into pieces of the
# longest frame, so with tcpdump's own idea of that there would be room for a handful.
start_capture() {
	in_background "$1" tcpdump --immediate-mode -s 2000 -B 16384 -qni "$2" -Q in -U -w "$3" \
		${4:+"$4"} 2>"$3.log"
	capture_pid=$!
	wait_for 5 grep -q listening "$3.log" || exit 1
}

# stop_capture FILE
stop_capture() {
	sleep 0.2 # it may not have read the last frames yet
	kill "$capture_pid"
	wait "$capture_pid"
	grep -q "^0 packets dropped by kernel" "$1.log" || not_ok "no frame was missed" "$(cat "$1.log")"
}

# read_frames FILE ARGUMENT...: with every checksum verified.
read_frames() {
	local file=$1
	shift
	tshark -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-r "$file" "$@" 2>/dev/null
}

# count_frames FILE DISPLAY-FILTER [ARGUMENT...]
count_frames() {
	local frames
	frames=$(read_frames "$1" -Y "$2" "${@:3}") || {
		echo "tshark cannot read that"
		return
	}
	grep -c . <<<"$frames"
}
