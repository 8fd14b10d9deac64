/* SPDX-License-Identifier: GPL-2.0-only */
#include "proc.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "file.h"

/* /proc/stat has a line for each CPU and a number for each interrupt. */
#define TEXT_BYTES_MAX (4 << 20)
#define PATH_BYTES     256

static const struct {
	const char *directory; /* NULL: the control group's */
	const char *name;
	size_t offset; /* of the text in struct node_texts */
} files[] = {
	{"/proc", "stat", offsetof(struct node_texts, stat)},
	{"/proc", "meminfo", offsetof(struct node_texts, meminfo)},
	{"/proc", "loadavg", offsetof(struct node_texts, loadavg)},
	{"/proc/net", "snmp", offsetof(struct node_texts, snmp)},
	{"/proc/net", "netstat", offsetof(struct node_texts, netstat)},
	{NULL, "cpu.max", offsetof(struct node_texts, cpu_max)},
	{NULL, "cpu.stat", offsetof(struct node_texts, cpu_stat)},
	{NULL, "memory.max", offsetof(struct node_texts, memory_max)},
	{NULL, "memory.current", offsetof(struct node_texts, memory_current)},
	{NULL, "memory.stat", offsetof(struct node_texts, memory_stat)},
};

#define FILES (sizeof(files) / sizeof(files[0]))

void proc_read(const char *cgroup, struct node_reading *reading)
{
	struct node_texts texts = {0};
	char *text[FILES], path[PATH_BYTES];
	struct text_error error;
	size_t bytes, i;

	for (i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%s",
			 files[i].directory ? files[i].directory : cgroup, files[i].name);
		text[i] = file_read(path, TEXT_BYTES_MAX, &bytes, &error);
		*(const char **)((char *)&texts + files[i].offset) = text[i];
	}
	node_reading_parse(&texts, clock_steady_ns(), reading);
	for (i = 0; i < FILES; i++)
		free(text[i]);
}
