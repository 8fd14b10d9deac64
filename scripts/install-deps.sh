#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# install-deps.sh [fuzz|kernels|live]...: install what building, testing and the demo need on Debian
# 12, and what the named extras need on top of that. Silent when nothing is missing.
set -eu

packages="
	gcc make pkg-config clang llvm libc6-dev linux-libc-dev bpftool
	libbpf-dev libxdp-dev xdp-tools libnl-3-dev libnl-route-3-dev
	libjansson-dev libcyaml-dev libyaml-dev libcmocka-dev
	libevent-dev libssl-dev libsystemd-dev libpcap-dev
	iproute2 ethtool util-linux procps curl jq python3
	nginx wrk iperf3 iputils-ping nftables tcpdump tshark openssl
"
for extra in "$@"; do
	case $extra in
	fuzz) packages="$packages libclang-rt-14-dev" ;;
	kernels) packages="$packages qemu-system-x86 busybox-static cpio kmod xz-utils ipvsadm" ;;
	live) packages="$packages haproxy libnginx-mod-stream" ;;
	*)
		echo "install-deps: \"$extra\" is not one of fuzz, kernels, live" >&2
		exit 2
		;;
	esac
done
wait_s=300 # for another apt or dpkg

missing=
for package in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $state in
	?i*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "install-deps: run as root, or install:$missing" >&2
	exit 1
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
our_policy=
trap leave EXIT
trap 'exit 130' INT TERM HUP

# Debian starts a server when it is installed, and at every boot. Of a new nginx we only want the
# program: nothing is started while the policy is there (invoke-rc.d(8)).
forbid_starting() {
	[ -e "$policy" ] && return
	our_policy=$policy
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

leave() {
	case $missing in
	*" nginx"*) update-rc.d nginx disable >/dev/null 2>&1 || true ;;
	esac
	case $missing in
	*" haproxy"*) update-rc.d haproxy disable >/dev/null 2>&1 || true ;;
	esac
	rm -f "$log" $our_policy
}

# apt waits for dpkg's lock by itself, but not for that of its package lists.
update() {
	waited_s=0
	until apt-get -q update >"$log" 2>&1 </dev/null; do
		grep -q 'Could not get lock' "$log" && [ "$waited_s" -lt "$wait_s" ] || return 1
		sleep 2
		waited_s=$((waited_s + 2))
	done
}

install() {
	# shellcheck disable=SC2086 # a list
	apt-get -q -o "DPkg::Lock::Timeout=$wait_s" install -y --no-install-recommends $missing \
		>"$log" 2>&1 </dev/null
}

echo "install-deps: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
case $missing in
*" nginx"* | *" haproxy"*) forbid_starting ;;
esac
if ! { update && install; }; then
	cat "$log" >&2
	echo "install-deps: apt-get failed, see above" >&2
	exit 1
fi
