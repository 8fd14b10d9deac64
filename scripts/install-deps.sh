#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Install what building, testing and the demo need on Debian 12. Silent when nothing is missing.
set -eu

packages="
	gcc make pkg-config clang llvm libc6-dev linux-libc-dev bpftool
	libbpf-dev libxdp-dev xdp-tools libnl-3-dev libnl-route-3-dev
	libjansson-dev libcyaml-dev libyaml-dev libcmocka-dev
	iproute2 ethtool util-linux procps curl jq python3
	nginx-light wrk iperf3 iputils-ping
"

missing=
for package in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $state in
	ii*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "install-deps: run as root, or install:$missing" >&2
	exit 1
fi

echo "install-deps: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } \
	>"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	echo "install-deps: apt-get failed, see above" >&2
	exit 1
fi
# Debian starts nginx when it is installed; we only want the program.
case "$missing" in
*nginx*) if command -v systemctl >/dev/null 2>&1; then
	systemctl disable --now nginx >/dev/null 2>&1 || true
fi ;;
esac
