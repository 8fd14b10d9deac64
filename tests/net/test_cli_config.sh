#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# load --config makes the state what the file says, and leaves alone what already is.
. "$(dirname "$0")/lib.sh"

query() { lb "${@:1:$#-1}" --json | jq -c "${@:$#}"; }
ids() { query backend list 'map({(.service + "/" + .backend): .id}) | add'; }
state() { lb status --json | jq '{generation, region, services, backends}' && lb service list && lb backend list && lb weight show; }
config=$TMP/sluice.yaml

# check_bad NAME LINE PATTERN: of a configuration on standard input.
check_bad() {
	cat >"$TMP/bad.yaml"
	check_fails "check: $1" 1 "^sluice: $TMP/bad.yaml:$2: .*$3" lb check "$TMP/bad.yaml"
	check_fails "load: $1" 1 "^sluice: $TMP/bad.yaml:$2: .*$3" lb load --config "$TMP/bad.yaml"
}

network 3
cat >"$config" <<'END'
load: {flows_per_cpu: 4096, backends_max: 64}
region: cn-shanghai-1
services:
  - name: web
    vip: 192.0.2.1
    port: 80
    proto: tcp
    forward: ipip
    backends:
      - {name: b1, address: 10.0.1.2, node: node-1, weight: 30}
      - {name: b2, address: 10.0.2.2, node: node-2, region: cn-beijing-1}
  - name: old
    vip: 2001:db8::1
    port: any
    proto: udp
    backends:
      - {name: b1, address: "fd00:0:0:1::2"}
END
check_equal "check" "$(lb check "$config")" "$config: 2 services, 3 backends, no errors"
check_equal "check as JSON" "$(lb check "$config" --json | jq -c .)" \
	'{"valid":true,"services":2,"backends":3}'
check_fails "check loads nothing" 1 "nothing is loaded" lb status
check_fails "no such file" 1 "/nonesuch: No such file" lb load --config /nonesuch
check_bad "a service without a port" 2 "port" <<'END'
services:
  - name: web
    vip: 192.0.2.1
    proto: tcp
END
check_fails "which loads nothing either" 1 "nothing is loaded" lb status

check "load with a configuration" lb load --config "$config"
check_equal "region" "$(query status .region)" '"cn-shanghai-1"'
check_equal "services" "$(query service list 'map([.service, .vip, .port, .proto, .forward])')" \
	'[["old","2001:db8::1",0,"udp","dsr"],["web","192.0.2.1",80,"tcp","ipip"]]'
check_equal "backends" "$(query backend list 'map([.service, .backend, .node, .base_weight, .next_hop]) | sort')" \
	'[["old","b1","b1",100,"resolved"],["web","b1","node-1",30,"resolved"],["web","b2","node-2",100,"resolved"]]'
check "attach" lb attach c0
servers 3 80
check "weights move" lb weight set web b1=5 b2=45
start_long_flows flows tcp "$VIP" 80 30 50
before_ids=$(ids)
before=$(state)

check_bad "unknown key" 3 "speed" <<'END'
services:
  - name: web
    speed: 9
END
check_bad "bad address" 6 "address.*10.0.1" <<'END'
services:
  - name: web
    vip: 192.0.2.1
    port: 80
    proto: tcp
    backends: [{name: b1, address: 10.0.1}]
END
check_bad "bad number" 1 "flows_per_cpu" <<'END'
load: {flows_per_cpu: many}
END
check_bad "bad YAML" "[0-9]+" "" <<'END'
services: [
END
check_bad "two services of one name" 6 "web" <<'END'
services:
  - name: web
    vip: 192.0.2.1
    port: 80
    proto: tcp
  - name: web
    vip: 192.0.2.1
    port: 81
    proto: tcp
END
cat >"$TMP/sizes.yaml" <<'END'
load: {flows_per_cpu: 4096, backends_max: 128}
END
check_fails "other sizes than loaded" 1 "sluice unload" lb load --config "$TMP/sizes.yaml"
check_equal "nothing bad has changed anything" "$(state)" "$before"

check "load the same again" lb load --config "$config"
check_equal "ids are as before" "$(ids)" "$before_ids"
check_equal "weights are as before" "$(query weight show web '[.weights[].weight]')" "[5,45]"

# b2 goes, b3 comes, b1 has another base weight; old goes, new comes.
sed -e 's/weight: 30/weight: 60/' -e '/name: b2/d' -e 's/name: old/name: new/' \
	-e '/name: b1, address: 10/a\      - {name: b3, address: 10.0.3.2, node: node-3}' \
	"$config" >"$TMP/changed.yaml"
gone=$(value flows node2)
check "load a changed configuration" lb load --config "$TMP/changed.yaml"
check_equal "services follow" "$(query service list 'map(.service)')" '["new","web"]'
check_equal "backends follow" "$(query backend list web 'map([.backend, .base_weight, .state])')" \
	'[["b1",60,"up"],["b3",100,"up"]]'
check_equal "what stays keeps its id" "$(ids | jq '."web/b1"')" "$(jq '."web/b1"' <<<"$before_ids")"
check_equal "what comes has one of its own" \
	"$(ids | jq --argjson before "$before_ids" '."web/b3" as $id | [$before[]] | index($id)')" null
died() { [ "$(value flows resets)" = "$gone" ]; }
check "connections of what went die" wait_for 10 died
stop_long_flows "$long_pid"
check_equal "and no others" "$(value flows open)" $((30 - gone))
short_flows tcp "$VIP" 80 100
check_equal "new flows go where they should" \
	"$(value short ok) $(value short node2) $(($(value short node3) > 20))" "100 0 1"

# What a program may be loaded with anew, onto the same maps.
options() { query status '[.gue_port, .icmp_rate]'; }
check_equal "GUE port and ICMP rate, by default" "$(options)" "[19523,1000]"
check "load with other ones" lb load --gue-port 6080 --icmp-rate 50
check_equal "they are taken" "$(options)" "[6080,50]"
check "load without a configuration" lb load
check_equal "they stay" "$(options)" "[6080,50]"
# constant NAME: of the program that is pinned.
constant() {
	local id
	for id in $(bpftool -j prog show pinned "$PIN/lb" | jq '.map_ids[]'); do
		bpftool -j map show id "$id" | jq -e '.name | endswith(".rodata")' >/dev/null &&
			bpftool -j map dump id "$id" |
			jq ".[].formatted.value.\".rodata\"[] | select(has(\"$1\")) | .$1"
	done
}
check_equal "the program has the port" "$(constant gue_port)" $((6080 % 256 * 256 + 6080 / 256))
check_equal "and the rate" "$(constant icmp_burst)" 50
check_equal "changes no state" "$(query backend list web 'map(.backend)')" '["b1","b3"]'
sed 's/name: b1, address/name: b1, port: 8080, address/' "$TMP/changed.yaml" >"$TMP/port.yaml"
port="sluice: warning: web/b1: packets arrive at the service's port 80; 8080 is for health checks only"
check_equal "a backend's other port: check warns" "$(lb check "$TMP/port.yaml" 2>&1 >/dev/null)" "$port"
check_equal "so does load" "$(lb load --config "$TMP/port.yaml" 2>&1)" "$port"
one="services: [{name: web, vip: $VIP, port: 80, proto: tcp, backends: [{name: b1, address: 10.0.1.2, port: 80}]}]"
check_equal "one of each is no plural" "$(lb check - <<<"$one" 2>&1)" "-: 1 service, 1 backend, no errors"
check "an empty configuration" eval "echo 'load: {flows_per_cpu: 4096, backends_max: 64}' | lb load --config -"
check_equal "empties" "$(query service list .)" "[]"
finish
