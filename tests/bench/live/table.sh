# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The summary, for people. To be sourced after frames.sh and http.sh.

# rows FILTER: of the summary, separated by tabs; what is not known is a dash.
rows() { jq -r "$1 | map(if . == null then \"-\" else . end) | @tsv" "$TMP/summary"; }

# fixed DIGITS VALUE: leaves dashes alone.
fixed() { if [ "$2" = - ]; then echo -; else printf '%.*f' "$1" "$2"; fi; }

print_frames() {
	local name flows mpps min max ns drop redirect arrived bytes
	printf '%-15s %6s %6s %12s %9s %8s %12s %9s %6s\n' "frames, one CPU" flows Mpps min..max \
		ns/frame "to drop" "to redirect" arrived bytes
	while IFS=$'\t' read -r name flows mpps min max ns drop redirect arrived bytes; do
		printf '%-15s %6d %6.2f %12s %9.0f %8s %12s %7.1f %% %6.0f\n' "$name" "$flows" "$mpps" \
			"$(fixed 2 "$min")..$(fixed 2 "$max")" "$ns" "$(fixed 2 "$drop")" \
			"$(fixed 2 "$redirect")" "$arrived" "$bytes"
	done < <(rows '.frames[] | [.name, .flows, .mpps, .mpps_min, .mpps_max, .ns_per_frame,
		.ratio_to_drop, .ratio_to_redirect, .arrived_percent, .arrived_frame_bytes]')
	cat <<-END

		$seconds s x $rounds interleaved, medians. 64-byte TCP frames, sent as XDP live frames and counted at
		the far end of their last veth (bytes: as they arrive). Generator, balancer and sink share
		CPU $cpu; a second is one of that CPU's time, which others' tasks on it do not count in.

	END
}

# print_http CONNECTION TITLE
print_http() {
	local name rate cpu_us min max balancer ratio machine failed
	printf '%-23s %10s %7s %13s %9s %8s %8s %7s\n' "$2" requests/s "CPU us" min..max balancer \
		"to ipip" machine failed
	while IFS=$'\t' read -r name rate cpu_us min max balancer ratio machine failed; do
		printf '%-23s %10.0f %7.1f %13s %9s %8s %8.1f %7d\n' "$name" "$rate" "$cpu_us" \
			"$(fixed 1 "$min")..$(fixed 1 "$max")" "$(fixed 1 "$balancer")" \
			"$(fixed 2 "$ratio")" "$machine" "$failed"
	done < <(rows ".http[] | select(.connection == \"$1\") | [.name, .requests_per_s,
		.cpu_us_per_request, .cpu_us_min, .cpu_us_max, .balancer_us, .ratio_to_sluice_ipip,
		.machine_us_per_request, .failed]")
	echo
}

print_summary() {
	[ -z "$frames" ] || print_frames
	if [ -n "$http" ]; then
		print_http close "HTTP, connection each"
		print_http keep-alive "HTTP, keep-alive"
		cat <<-END
			$seconds s x $rounds interleaved, medians. $BODY_BYTES-byte file, wrk with $CONNECTIONS connections, two nginx.
			CPU us: time of wrk, nginx, the proxies and ksoftirqd by requests, packets included;
			balancer: what of it is more than direct; machine: all CPUs' busy time (/proc/stat) by
			requests, which others' work is a part of. Behind Sluice nodes answer the client directly,
			in the others' case through the balancer; only Sluice's client has checksum offload off.

		END
	fi
	jq -r '"Before each round other things took \(.background_cpu_percent | round) % of a CPU; kernel \(.kernel)."' \
		"$TMP/summary"
}
