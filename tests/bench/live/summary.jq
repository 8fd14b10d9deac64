# SPDX-License-Identifier: GPL-2.0-only
# Samples, one object each, to medians and ratios. Rows come in the order of the first round.

def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def rounded: . * 1000 | round / 1000;
def groups(key): reduce .[] as $sample ({}; .[$sample | key | tostring] += [$sample]) | [.[]];

def frame_row:
	map(.arrived * 1000 / .cpu_ns) as $mpps
	| {
		name: .[0].name,
		flows: .[0].flows,
		mpps: ($mpps | median),
		mpps_min: ($mpps | min),
		mpps_max: ($mpps | max),
		arrived_percent: (map(100 * .arrived / .sent) | median),
		arrived_frame_bytes: ((map(.arrived_bytes) | add) / (map(.arrived) | add))
	};

def mpps_of(name): map(select(.name == name) | {(.flows | tostring): .mpps}) | add;

def frame_rows:
	map(select(.part == "frames")) | groups([.name, .flows]) | map(frame_row)
	| mpps_of("drop") as $drop
	| mpps_of("redirect") as $redirect
	| map((.flows | tostring) as $flows | . + {
		ns_per_frame: (1000 / .mpps),
		ratio_to_drop: (if $drop then .mpps / $drop[$flows] else null end),
		ratio_to_redirect: (if $redirect then .mpps / $redirect[$flows] else null end)
	});

def http_row:
	map(.cpu_us) as $cpu_us
	| {
		name: .[0].name,
		connection: .[0].connection,
		requests_per_s: (map(.requests_per_s) | median),
		cpu_us_per_request: ($cpu_us | median),
		cpu_us_min: ($cpu_us | min),
		cpu_us_max: ($cpu_us | max),
		machine_us_per_request: (map(.machine_us) | median),
		failed: (map(.failed) | add)
	};

# All of one kind of connection.
def compared_http_rows:
	groups(.name) | map(http_row)
	| (map({(.name): .cpu_us_per_request}) | add) as $cpu_us
	| $cpu_us["direct"] as $direct
	| $cpu_us["sluice-ipip"] as $ipip
	| map(. + {
		balancer_us: (
			if $direct and .name != "direct" then .cpu_us_per_request - $direct else null end
		),
		ratio_to_sluice_ipip: (if $ipip then .cpu_us_per_request / $ipip else null end)
	});

{
	kernel: $kernel,
	cpus: $cpus,
	rounds: $rounds,
	seconds: $seconds,
	background_cpu_percent: (map(select(.part == "background").cpu_percent) | median),
	frames: frame_rows,
	http: (map(select(.part == "http")) | groups(.connection) | map(compared_http_rows) | add // [])
}
| walk(if type == "number" then rounded else . end)
