#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/kernels/run.sh [VERSION [COMMAND...]]: boot Debian's kernel of that version (6.1) in qemu and
# run tests in it, or the command, in this folder as the guest sees it: the host's files, unchanged
# whatever it does. Its output and exit status are the guest's; a crash or hang is a failure.
# LIMIT_S: how long the guest may take. GUEST_MB, GUEST_CPUS: what it has.
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
. tests/kernels/kernel.sh

LIMIT_S=${LIMIT_S:-3600}

version=${1:-6.1}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- tests/kernels/all.sh
if ! [[ $version =~ ^[0-9]+\.[0-9] ]]; then
	say "\"$version\" is not the version of a kernel, like 6.1 or 6.12"
	exit 2
fi

job=
qemu=
follower=
leave() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null
	[ -z "$follower" ] || kill "$follower" 2>/dev/null
	wait
	[ -z "$job" ] || rm -rf "$job"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

prepare() {
	fetch "$version" && unpack "$kernel_name" || return 1
	job=$(mktemp -d "$KERNELS/job.XXXXXX") || return 1
	make_initramfs "$kernel_name" "$job" || return 1
	pwd >"$job/repository"
	echo "$KERNELS/$kernel_name/lib/modules/$kernel_release" >"$job/modules"
	printf '%q ' "$@" >"$job/command"
	touch "$job/output" "$job/status"
}

# Without KVM: it must work inside a virtual machine, too. One thread for all CPUs, because threads
# that wait for each other's spinlocks take forever on a busy machine. mitigations=off spares emulated CPUs work
# that protects nobody; what the verifier lets root do does not depend on it.
boot() {
	say "booting $kernel_release, emulated: this takes a while"
	timeout -k 10 "$LIMIT_S" qemu-system-x86_64 -M q35 -accel tcg,thread=single -cpu max \
		-smp "${GUEST_CPUS:-2}" -m "${GUEST_MB:-2048}" -nodefaults -display none -no-reboot \
		-kernel "$KERNELS/$kernel_name/boot/vmlinuz-$kernel_release" -initrd "$job/initramfs" \
		-append "console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off no_timer_check" \
		-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-serial "file:$job/console" -serial "file:$job/output" -serial "file:$job/status" \
		</dev/null &
	qemu=$!
	tail -n +1 -f --pid="$qemu" "$job/output" &
	follower=$!
	wait "$qemu"
	qemu_status=$?
	qemu=
	wait "$follower"
	follower=
}

# broken WHY: the last words on the console, and the sum of the tests until then plus a failure.
broken() {
	say "$1; its console:"
	tail -n 40 "$job/console" | sed 's/^/    /' >&2
	awk '/ [0-9]+ passed +[0-9]+ failed / {
			for (i = 2; i <= NF; i++) {
				if ($i == "passed") passed += $(i - 1)
				if ($i == "failed") failed += $(i - 1)
			}
		}
		END { printf "%d passed, %d failed\n", passed, failed + 1 }' "$job/output"
	exit 1
}

prepare "$@" || exit 1
boot
status=$(cat "$job/status")
if [ "$qemu_status" -eq 124 ]; then
	broken "the guest was stopped after $LIMIT_S s"
elif [ "$qemu_status" -ne 0 ]; then
	broken "qemu failed with exit status $qemu_status"
elif [ -z "$status" ]; then
	broken "the guest died"
elif grep -aqE '^\[[^]]*\] +(WARNING|BUG): ' "$job/console"; then
	broken "the guest's kernel complained"
fi
exit "$status"
