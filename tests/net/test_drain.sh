#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A backend that drains keeps what it has and takes nothing new; one that is down has nothing.
. "$(dirname "$0")/lib.sh"

new_flows() {
	forget_flows
	short_flows tcp "$VIP" 80 200
	check_unharmed "$1: new connections" short
}

answers_since() { [ "$(value "$1" ok)" -ge $(($2 + 300)) ]; }
dead() { [ "$(value before resets)" = "$1" ]; }
drop_count() { lb stats --json | jq ".drops[] | select(.reason == \"$1\").packets"; }
id_of() { lb backend list web --json | jq ".[] | select(.backend == \"$1\").id"; }

network 3
check "load" lb load
check "attach" lb attach c0
servers 3 80
service web 80 tcp ipip 3 "$VIP" --local-count off
start_long_flows before tcp "$VIP" 80 60 50
before_pid=$long_pid
at_1=$(value before node1)
check_equal "some of them at node 1" "$((at_1 > 5 && at_1 < 40))" 1

check "drain b1" lb backend set web b1 --state drain
new_flows "drained"
check_equal "drained: none of them at node 1" "$(flows_at 1 tcp 80)" 0
check "drained: old connections go on" wait_for 10 answers_since before "$(value before ok)"
check_unharmed "drained: unharmed" before
check_equal "drained: those at node 1, too" "$(connections_at 1 80)" "$at_1"

check "b1 up again" lb backend set web b1 --state up
new_flows "up again"
check_equal "up again: some at node 1" "$(($(flows_at 1 tcp 80) > 20))" 1
check "weight 0 is as good as drain" lb weight set web b1=0
new_flows "weight 0"
check_equal "weight 0: none at node 1" "$(flows_at 1 tcp 80)" 0
check_unharmed "weight 0: old connections unharmed" before
check "weight back" lb weight set web b1=100

check "b1 down" lb backend set web b1 --state down
# Their next packets come to nodes that do not know them.
check "down: its connections die" wait_for 10 dead "$at_1"
new_flows "down"
check_equal "down: none at node 1" "$(flows_at 1 tcp 80)" 0
packets=$(decapsulated_at 1)
check "down: the others' connections go on" wait_for 10 answers_since before "$(value before ok)"
check_equal "down: and only they" "$(value before open)" $((60 - at_1))
check_equal "down: node 1 gets no packet" "$(decapsulated_at 1)" "$packets"

check "up from down" lb backend set web b1 --state up
new_flows "up from down"
check_equal "up from down: some at node 1" "$(($(flows_at 1 tcp 80) > 20))" 1
stop_long_flows "$before_pid"
check_equal "nobody but node 1's connections died" \
	"$(value before resets) $(value before timeouts) $(value before wrong)" "$at_1 0 0"

start_long_flows more tcp "$VIP" 80 40 50
at_2=$(value more node2)
old_id=$(id_of b2)
check "delete b2" lb backend del web b2
check_equal "deleted: it is not listed" "$(id_of b2)" ""
new_flows "deleted"
check_equal "deleted: none at node 2" "$(flows_at 2 tcp 80)" 0
check "deleted: the others' connections go on" wait_for 10 answers_since more "$(value more ok)"
check "b2 again" lb backend add web b2 --address 10.0.2.2 --node node-2
check_equal "it is another, for the flows of the old one are about" \
	"$(($(id_of b2) != old_id))" 1
new_flows "b2 again"
check_equal "b2 again: some at node 2" "$(($(flows_at 2 tcp 80) > 20))" 1
stop_long_flows "$long_pid"
check_equal "nobody but node 2's connections died" \
	"$(value more resets) $(value more timeouts) $(value more wrong)" "$at_2 0 0"

for i in 1 2 3; do check "b$i down" lb backend set web "b$i" --state down; done
check_equal "so far no packet was dropped" "$(drop_count no_backend)" 0
check_fails "all down: no answer" 28 "" in_ns client curl -sm 1 "http://$VIP/"
check_equal "all down: drops have their reason" "$(($(drop_count no_backend) > 0))" 1
check "b3 up" lb backend set web b3 --state up
new_flows "only b3 up"
check_equal "only b3 up: it takes all" "$(flows_at 3 tcp 80)" 200
finish
