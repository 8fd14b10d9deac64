#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# First process of the guest: the host's files, read-only, under an overlay that forgets. When it
# ends early the kernel panics, and run.sh sees that.
b=/bin/busybox
set -e
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod "$module"; done
# The host's files are not to change under us, so they may be cached.
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /host
$b mount -t tmpfs rw /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work overlay /root
for mount in proc sys dev; do $b mount --move /$mount /root/$mount; done
job=$($b cat /job)
root=$($b cat "/host$job/repository")
exec $b switch_root /root /bin/bash "$root/tests/kernels/guest.sh" "$job"
