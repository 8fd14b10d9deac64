/* SPDX-License-Identifier: GPL-2.0-only */
#include "node.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int node_counters_read(const char *pin_dir, struct node_counters *sum)
{
	int cpu_count = libbpf_num_possible_cpus();
	struct node_counters *values;
	char path[PATH_MAX];
	__u32 zero = 0;
	int err = 0;
	int cpu, fd;

	memset(sum, 0, sizeof(*sum));
	if (cpu_count < 0)
		return cpu_count;
	snprintf(path, sizeof(path), "%s/node_counters", pin_dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	values = calloc(cpu_count, sizeof(*values));
	if (!values)
		err = -ENOMEM;
	else if (bpf_map_lookup_elem(fd, &zero, values))
		err = -errno;
	for (cpu = 0; cpu < cpu_count && !err; cpu++) {
		sum->packets += values[cpu].packets;
		sum->bytes += values[cpu].bytes;
		sum->passed_on += values[cpu].passed_on;
		sum->no_neighbour += values[cpu].no_neighbour;
		sum->no_hop_left += values[cpu].no_hop_left;
	}
	free(values);
	close(fd);
	return err;
}
