# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# How the benches that are scripts take their options, refuse and fail. To be sourced first, by a bench
# that sets
#   BENCH       its name, which is also that of its make target
#   OPTIONS     names of the options that have a value, which is put into the variable of that name
# and defines
#   usage       says what it takes
#   quick       for --quick: sets what is to be less
#   check_option NAME VALUE   refuses what is not good
# --json is in $json: empty or not.
export LC_ALL=C

json=

refuse() {
	echo "$BENCH: $1" >&2
	exit 2
}

fail() {
	echo "$BENCH: $1" >&2
	exit 1
}

# check_number NAME TEXT MIN MAX: of an option.
check_number() {
	if ! [[ $2 =~ ^[1-9][0-9]{0,7}$|^0$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		refuse "--$1 is '$2', expected $3 to $4"
	fi
}

# take_options ARGUMENT...
take_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--quick) quick ;;
		--json) json=yes ;;
		--help | -h)
			usage
			exit 0
			;;
		*)
			[[ $1 == --* && " $OPTIONS " == *" ${1#--} "* ]] || refuse "'$1' is not known, see --help"
			[ $# -ge 2 ] || refuse "$1 needs a value"
			check_option "${1#--}" "$2"
			printf -v "${1#--}" %s "$2"
			shift
			;;
		esac
		shift
	done
}

# check_machine PROGRAM...: that it can be measured here, with those.
check_machine() {
	local name
	[ "$(id -u)" -eq 0 ] || fail "network namespaces and BPF programs need root"
	for name in "$@"; do
		[ -x "$name" ] || fail "$name is not there: run make $BENCH"
	done
}

# progress TEXT: only for those who watch.
progress() { [ ! -t 2 ] || printf '\r\e[K%s' "$1" >&2; }
