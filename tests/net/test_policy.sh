#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy before real clients: who may pass, by prefix, service and port, of both families;
# `policy test` says what becomes of them; rules are replaced as a set, under load and under kill -9.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http.sh"
. "$(dirname "$0")/capture.sh"
. "$(dirname "$0")/policy.sh"

KILLS=25
MANY=1000000
RANDOM=1

network 2
client_addresses 3 65 66
check "load" lb load
check "attach" lb attach c0
service web 80 tcp dsr 2
service other 81 tcp dsr 2
ADDRESS_FAMILY=6 service web6 80 tcp dsr 2 "$VIP6"
http_nodes 2 80 81 2>/dev/null # clients that leave early

# --- who may pass --------------------------------------------------------------------------------
check_verdict "no rule: it passes" 10.0.0.65 "$VIP:80" pass 0
check "deny a prefix" lb policy add deny 10.0.0.64/26 --comment scanners
check "allow one address in it" lb policy add allow 10.0.0.66
check "deny an address, for one service" lb policy add deny 10.0.0.3 --service other
check "deny a prefix of IPv6" lb policy add deny fd00::60/124
check "deny by port" lb policy add deny fd00::3 --to 2001:db8::/32 --port 80 --proto tcp
check_verdict "in a prefix that is denied" 10.0.0.65 "$VIP:80" drop 1
check_verdict "for the other service as well" 10.0.0.65 "$VIP:81" drop 1
check_verdict "allowed in what is denied" 10.0.0.66 "$VIP:80" pass 2
check_verdict "a rule of one service leaves others alone" 10.0.0.3 "$VIP:80" pass 0
check_verdict "and is for its own" 10.0.0.3 "$VIP:81" drop 3
check_verdict "a prefix of IPv6" fd00::65 "[$VIP6]:80" drop 4
check_verdict "by destination, port and protocol" fd00::3 "[$VIP6]:80" drop 5
check_verdict "nobody's" fd00::2 "[$VIP6]:80" pass 0
check_verdict "nobody's, by IPv4" 10.0.0.2 "$VIP:80" pass 0
check_equal "what is dropped is counted by its rule" \
	"$(of_rule 1 '.dropped_packets > 0 and .packets == .dropped_packets')" true
check_equal "what is allowed is counted, too" \
	"$(of_rule 2 '.packets > 0 and .dropped_packets == 0')" true
check_equal "and by the reason" \
	"$(lb stats --json | jq '[.drops[] | select(.packets > 0) | .reason] == ["denied"]')" true
dropped=$(of_rule 1 .dropped_packets)
test_says 10.0.0.65 "$VIP:80" >/dev/null
check_equal "policy test counts nothing" "$(of_rule 1 .dropped_packets)" "$dropped"

check "a rule may be for a service to come" lb policy add deny 10.0.0.2 --service late
check_equal "and says so" "$(of_rule 6 .note)" "matches nothing: no such service"
service late 82 tcp dsr 2
check_equal "it is in force when the service comes" "$(test_says 10.0.0.2 "$VIP:82")" "drop by 6"
check "deletion" lb policy del 1 6
check_verdict "and the next packet knows" 10.0.0.65 "$VIP:80" pass 0

# --- nothing changes when something is wrong -----------------------------------------------------
rule_set >"$TMP/before"
printf '192.0.2.0/24\n\n# well\n198.51.100.1/24\n' >"$TMP/bad"
check_fails "a bad line of a list" 1 "$TMP/bad:4: " lb policy add deny --feed "$TMP/bad"
check_fails "twice the same" 1 "rule 2 says the same" lb policy add allow 10.0.0.66
check_fails "bits behind the prefix" 2 "is 10.0.0.0/8 meant" lb policy add deny 10.0.0.66/8
check_fails "a limit without a rate" 1 "rate|limit" lb policy add limit any
check_fails "an unknown rule" 1 "no rule 99" lb policy del 2 99
check_fails "an unknown list" 1 'no rule has a list called "x"' lb policy replace --feed x "$TMP/bad"
echo "services: []" >"$TMP/none.yaml"
check_fails "a configuration without rules" 1 "no part 'policy'" lb policy replace "$TMP/none.yaml"
printf 'policy:\n  rules:\n    - {action: deny, source: 1.2.3.4}\n    - {action: no}\n' >"$TMP/wrong.yaml"
check_fails "a configuration with a wrong one" 1 "wrong.yaml:4: " lb policy replace "$TMP/wrong.yaml"
check_equal "nothing has changed" "$(rule_set)" "$(cat "$TMP/before")"

# --- watch ---------------------------------------------------------------------------------------
check "a rule to watch" lb policy add deny 10.0.0.65 --comment "to be watched"
in_background lb "$SLUICE" --pin "$PIN" policy watch --json --count 3 --pcap "$TMP/drops.pcap" \
	>"$TMP/watch" 2>"$TMP/watch.log"
watch_pid=$!
wait_for 5 test -e "/run/$ID/watch.lock"
check_fails "one reader at a time" 1 "somebody else watches" timeout 5 nsenter \
	--net="/run/netns/$ID-lb" "$SLUICE" --pin "$PIN" policy watch
for ((i = 0; i < 5; i++)); do curl_says 10.0.0.65 "$VIP:80" >/dev/null; done
wait "$watch_pid"
check_equal "it ends by itself" $? 0
check_equal "what is watched" \
	"$(jq -sc 'map([.source, .destination, .destination_port, .proto, .reason, .rule, .comment, .service]) | unique' "$TMP/watch")" \
	"[[\"10.0.0.65\",\"$VIP\",80,\"tcp\",\"denied\",6,\"to be watched\",\"web\"]]"
check_equal "three of them" "$(grep -c . "$TMP/watch")" 3
check_equal "the frames are in the file" "$(count_frames "$TMP/drops.pcap" \
	"ip.src == 10.0.0.65 && ip.dst == $VIP && tcp.dstport == 80 && tcp.flags == 2 && ip.checksum.status == 1")" 3
check_equal "with their times" "$(read_frames "$TMP/drops.pcap" -T fields -e frame.time_epoch |
	awk -v now="$(date +%s)" '$1 > now - 60 && $1 < now + 2' | wc -l)" 3
check_equal "and nothing is left behind" "$(ls "/run/$ID" 2>/dev/null)" ""
check "no rules" lb policy del 2 3 4 5 6

# --- replaced as a set ---------------------------------------------------------------------------
# rules_of DENIED ALLOWED: a set of its own size and comments.
rules_of() {
	local i
	echo "policy: {rules: ["
	echo "  {action: deny, source: 10.0.0.$1, comment: set $1},"
	echo "  {action: allow, source: 10.0.0.$2, comment: set $1},"
	for ((i = 1; i <= $1 * 3; i++)); do
		echo "  {action: deny, source: 198.51.$1.$((i % 256))/32, service: web, comment: set $1 $i},"
	done
	echo "  {action: deny, feed: many.$1}]}"
}
for i in 65 66; do
	rules_of $i $((131 - i)) >"$TMP/$i.yaml"
	for ((k = 0; k < 4096; k++)); do echo "203.$i.$((k / 16)).$((k % 16 * 16))/28"; done >"$TMP/many.$i"
done

start_load
for ((i = 0; i < 6; i++)); do
	denied=$((65 + i % 2))
	check "replace" lb policy replace "$TMP/$denied.yaml"
	check_equal "it counts at once" "$(curl_says 10.0.0.$denied "$VIP:80") $(
		curl_says 10.0.0.$((131 - denied)) "$VIP:80")" "drop pass"
done
stop_load "no request failed while rules were replaced"

for i in 65 66; do
	check "set $i" lb policy replace "$TMP/$i.yaml"
	lb policy list --json | jq -c '[.rules[] | [.action, .source, .comment, .prefixes]]' >"$TMP/set$i"
done
start=$(date +%s%N)
lb policy replace "$TMP/65.yaml"
usual_us=$((($(date +%s%N) - start) / 1000))
mixed=0 killed=0 disagree=0
for ((i = 0; i < KILLS; i++)); do
	in_background lb "$SLUICE" --pin "$PIN" policy replace "$TMP/$((65 + i % 2)).yaml"
	pid=$!
	sleep "$(awk -v us=$((RANDOM * usual_us / 32768)) 'BEGIN { print us / 1e6 }')"
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
	lb policy list --json | jq -c '[.rules[] | [.action, .source, .comment, .prefixes]]' >"$TMP/set"
	in_force=0
	for k in 65 66; do cmp -s "$TMP/set" "$TMP/set$k" && in_force=$k; done
	[ $in_force = 0 ] && mixed=$((mixed + 1))
	for k in 65 66; do
		[ "$(lb policy test 203.$k.9.17 "$VIP:80/tcp" --json | jq -r .verdict)" = \
			"$([ $k = $in_force ] && echo drop || echo pass)" ] || disagree=$((disagree + 1))
	done
done
echo "# $killed of $KILLS replacements killed"
check_equal "a replacement that is killed leaves a whole set" $mixed 0
check_equal "in the packet path, too" $disagree 0
check "the next one works" lb policy replace "$TMP/66.yaml"
check_equal "as ever" "$(lb policy list --json | jq -c '[.rules[] | [.action, .source, .comment, .prefixes]]')" \
	"$(cat "$TMP/set66")"

# --- a million -----------------------------------------------------------------------------------
echo "policy: {}" >"$TMP/empty.yaml"
check "an empty set" lb policy replace "$TMP/empty.yaml"
small=$(lb policy list --json | jq .bytes)
# many_prefixes LAST: /28 all over 16.0.0.0/4, and one address more.
many_prefixes() {
	awk -v n=$MANY 'BEGIN { for (i = 0; i < n; i++) { a = i * 251 % 16777216;
		printf "%d.%d.%d.%d/28\n", 16 + int(a / 1048576), int(a / 4096) % 256, int(a / 16) % 256, a % 16 * 16 } }'
	echo "10.0.0.$1"
}
many_prefixes 65 >"$TMP/feed"
many_prefixes 66 >"$TMP/feed2"
start_load
start=$(date +%s%N)
check "a list of a million prefixes" lb policy add deny --feed "$TMP/feed" --comment "a million"
echo "# loaded in $((($(date +%s%N) - start) / 1000000)) ms: $(lb policy list | tail -1)"
check_verdict "it counts" 10.0.0.65 "$VIP:80" drop 1
start=$(date +%s%N)
check "a newer version of it" lb policy replace --feed feed "$TMP/feed2"
echo "# replaced in $((($(date +%s%N) - start) / 1000000)) ms: $(lb policy list | tail -1)"
check_verdict "it counts at once" 10.0.0.66 "$VIP:80" drop 1
check_verdict "and the old one no more" 10.0.0.65 "$VIP:80" pass 0
check_equal "all of them" "$(of_rule 1 .prefixes)" $((MANY + 1))
start=$(date +%s%N)
stop_load "no request failed meanwhile"
check "away with it" lb policy del 1
check_equal "and its memory" "$(lb policy list --json | jq .bytes)" "$small"
finish
