# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A Debian kernel from the archive, unpacked, and an initramfs for it. To be sourced.
#
# build/kernels/NAME.deb, NAME.deb.sha256   as downloaded
# build/kernels/NAME/                       unpacked, with modules.dep

KERNELS=${KERNELS:-$PWD/build/kernels}

say() { echo "test-kernels: $*" >&2; }

# archived VERSION: the newest package of that version that apt knows, without flavours.
archived() {
	apt-cache pkgnames "linux-image-$1" |
		grep -E '^linux-image-[0-9]+\.[0-9]+\.[0-9]+([-+][0-9a-z]+)?-amd64$' |
		grep -E "^linux-image-${1//./\\.}([-.+]|$)" | sort -V | tail -n 1
}

# kept VERSION: the newest that was downloaded earlier.
kept() {
	local file
	for file in "$KERNELS/linux-image-$1"*.deb; do
		[ -e "$file" ] && basename "$file" .deb
	done | grep -E "^linux-image-${1//./\\.}([-.+]|$)" | sort -V | tail -n 1
}

whole() { (cd "$KERNELS" && sha256sum --status -c "$1.deb.sha256" 2>/dev/null); }

# apt checks what it downloads; the checksum is for the runs to come.
download() {
	local name=$1 into
	into=$(mktemp -d "$KERNELS/download.XXXXXX") || return 1
	if (cd "$into" && apt-get -q -o APT::Sandbox::User=root download "$name") >"$into/log" 2>&1 &&
		mv "$into"/*.deb "$into/$name.deb" &&
		(cd "$into" && sha256sum "$name.deb" >"$name.deb.sha256"); then
		rm -rf "${KERNELS:?}/$name"
		mv "$into/$name.deb" "$into/$name.deb.sha256" "$KERNELS/" && rm -rf "$into"
		return
	fi
	cat "$into/log" >&2
	rm -rf "$into"
	return 1
}

# fetch VERSION: the package's name in $kernel_name.
fetch() {
	kernel_name=$(kept "$1")
	if [ -n "$kernel_name" ] && whole "$kernel_name"; then
		return
	fi
	mkdir -p "$KERNELS" || return 1
	kernel_name=$(archived "$1")
	if [ -n "$kernel_name" ] && say "downloading $kernel_name" && download "$kernel_name" 2>/dev/null; then
		return
	fi
	# apt's lists are empty, or so old that the archive has moved on.
	say "updating apt's lists"
	apt-get -q update >/dev/null || return 1
	kernel_name=$(archived "$1")
	if [ -z "$kernel_name" ]; then
		say "the archive has no package linux-image-$1*-amd64"
		return 1
	fi
	say "downloading $kernel_name"
	download "$kernel_name"
}

# unpack NAME: the release, as uname has it, in $kernel_release.
unpack() {
	local root=$KERNELS/$1 half
	kernel_release=${1#linux-image-}
	[ -e "$root" ] && return
	say "unpacking $1"
	half=$(mktemp -d "$KERNELS/unpack.XXXXXX") || return 1
	if dpkg-deb -x "$KERNELS/$1.deb" "$half" && depmod -b "$half" "$kernel_release"; then
		mv "$half" "$root"
		return
	fi
	rm -rf "$half"
	return 1
}

# modules_of NAME MODULE...: their files, each after those that it needs.
modules_of() {
	local root=$KERNELS/$1
	shift
	modprobe -a -d "$root" -S "$kernel_release" --show-depends "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# make_initramfs NAME JOB: JOB/initramfs, with what it takes to reach the host's files.
make_initramfs() {
	local root=$2/root modules module number=100
	mkdir -p "$root"/{bin,dev,host,modules,proc,root,rw,sys} || return 1
	modules=$(modules_of "$1" virtio_pci 9pnet_virtio 9p overlay) || return 1
	for module in $modules; do
		case $module in
		*.xz) xz -dc "$module" ;;
		*) cat "$module" ;;
		esac >"$root/modules/$((number += 1)).ko" || return 1
	done
	install -m 755 /bin/busybox "$root/bin/busybox" || return 1
	install -m 755 tests/kernels/init.sh "$root/init" || return 1
	echo "$2" >"$root/job"
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$2/initramfs" && rm -rf "$root"
}
