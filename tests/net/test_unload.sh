#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What is attached in another network namespace stays whole when somebody unloads from here, and what
# devices left behind that are gone does not keep anybody from unloading.
. "$(dirname "$0")/lib.sh"

# from NAMESPACE COMMAND...: there, with the pins of the balancer.
from() { in_ns "$1" "$SLUICE" --pin "$PIN" "${@:2}"; }

pins() { [ ! -e "$PIN" ] || (cd "$PIN" && find . | sort | paste -sd " "); }

# check_whole NAME: nothing was removed, and flows come through by way of the program.
check_whole() {
	local before
	before=$(decapsulated_at 1)
	check_equal "$1: all pins are there" "$(pins)" "$all_pins"
	short_flows tcp "$VIP" 80 20
	check_equal "$1: 20 flows" "$(value short ok)" 20
	check_equal "$1: by way of the program" "$(($(decapsulated_at 1) - before >= 60))" 1
}

# check_gone NAME
check_gone() {
	check_equal "$1: nothing is pinned" "$(pins)" ""
	check_equal "$1: no program is left" \
		"$(for id in $programs; do bpftool prog show id "$id" 2>/dev/null; done)" ""
}

# begin NAME
begin() {
	check "$1" lb load
	service web 80 tcp ipip 1
	program=$(bpftool -j prog show pinned "$PIN/lb" | jq .id)
	programs="${programs-} $program"
}

program_of() { in_ns "$1" ip -j link show "$2" | jq '.[0].xdp.prog.id'; }

network 1
servers 1 80

# --- another namespace that can be seen ----------------------------------------------------------
begin "load"
check "attach" lb attach c0 --alone
all_pins=$(pins)
elsewhere="c0 still runs the program in another network namespace \(\"$ID-lb\"\); detach it there first. Nothing was removed"
check_fails "link: unload from another namespace is refused" 1 "$elsewhere" from client unload
check_whole "link"
check "link: detach" lb detach c0
check "link: unload from another namespace then works" from client unload
check_gone "link"

begin "load again"
check "attach by ip link" in_ns lb ip link set dev c0 xdp pinned "$PIN/lb"
all_pins=$(pins)
check_fails "ip link: unload from another namespace is refused" 1 "$elsewhere" from client unload
check_whole "ip link"
check "ip link: attached where it is unloaded as well" \
	in_ns client ip link set dev eth0 xdp pinned "$PIN/lb"
check_fails "ip link: refused all the same" 1 "$elsewhere" from client unload
check_equal "ip link: it runs on here" "$(program_of client eth0)" "$program"
check "ip link: detach here" from client detach eth0
check_whole "ip link, detached here"
check "ip link: an older program than the pinned one" from client load
check_fails "ip link: is known as well" 1 "$elsewhere" from client unload
check "ip link: unload where it is attached" lb unload
check_gone "ip link"

# --- one that cannot be seen: without a name or a process ----------------------------------------
add_namespace hidden
add_link hidden h0 lb h1
exec {hidden}<"/run/netns/$ID-hidden"
ip netns del "$ID-hidden"
in_hidden() { nsenter --net="/proc/$$/fd/$hidden" "$@"; }

begin "load once more"
check "hidden: attach" in_hidden "$SLUICE" --pin "$PIN" attach h0 --alone
check "attach here as well" lb attach c0 --alone
all_pins=$(pins)
check_fails "hidden link: unload is refused" 1 \
	"h0 still runs the program in a network namespace that cannot be seen from here; .*Nothing was removed" \
	lb unload
check_whole "hidden link"
check "hidden: detach" in_hidden "$SLUICE" --pin "$PIN" detach h0
check "hidden: attach by ip link" in_hidden ip link set dev h0 xdp pinned "$PIN/lb"
all_pins=$(pins)
check_fails "hidden ip link: unload is refused" 1 \
	"program $program is still held, by a network namespace that cannot be seen .*nothing else was removed" \
	lb unload
check_equal "hidden ip link: all else is there" "$(pins)" "${all_pins/ .\/links\/c0/}"
check_equal "hidden ip link: the same program" \
	"$(bpftool -j prog show pinned "$PIN/lb" | jq .id)" "$program"
check "hidden ip link: attach again" lb attach c0 --alone
check_whole "hidden ip link"
check "hidden ip link: detach" in_hidden "$SLUICE" --pin "$PIN" detach h0
check "hidden ip link: unload then works" lb unload
check_gone "hidden ip link"

# An unload that was killed when the programs' pins were gone already.
begin "load after that"
rm "$PIN/lb"
check "an unload that was killed is finished" lb unload
check_gone "killed"

# --- devices that are gone -----------------------------------------------------------------------
begin "load for a device that goes"
in_ns lb ip link add gone type veth peer name gone_peer
check "attach to it" lb attach gone --alone
check "and to another" lb attach c0 --alone
in_ns lb ip link del gone
check_equal "its link is left behind" "$(ls "$PIN/links")" "$(printf 'c0\ngone')"
check "unload all the same" lb unload
check_gone "device gone"

begin "load for a namespace that goes"
check "attach in it" in_hidden "$SLUICE" --pin "$PIN" attach h0 --alone
exec {hidden}<&-
check "unload when it has gone" lb unload
check_gone "namespace gone"
check "the balancer's stack still answers" in_ns client ping -qc 1 -W 2 10.0.0.1
finish
