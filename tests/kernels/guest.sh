#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh JOB: the guest's first process once it has its files. Runs JOB/command in the repository;
# what that prints goes to the second serial port, its exit status to the third (run.sh reads both).
set -eu -o pipefail
job=$1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C

for port in /dev/ttyS1 /dev/ttyS2; do stty -F "$port" raw; done
exec >/dev/ttyS1 2>&1 </dev/null

mount -t tmpfs tmpfs /run
ln -s /proc/self/fd /dev/fd
mkdir -p /dev/shm /dev/pts /lib/modules
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t bpf bpf /sys/fs/bpf
# The kernel's own request for a module comes here, too.
mkdir -p "/lib/modules/$(uname -r)"
mount --bind "$(cat "$job/modules")" "/lib/modules/$(uname -r)"
ip link set lo up

echo "kernel $(uname -r), up after $(cut -d. -f1 /proc/uptime) s"
cd "$(cat "$job/repository")"
status=0
bash "$job/command" 2>&1 | cat || status=$? # a terminal is no place for a log
sync
echo "$status" >/dev/ttyS2
echo o >/proc/sysrq-trigger
read -rt 60 <>/dev/ttyS2 # no file can be read any more
