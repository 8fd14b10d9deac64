/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the reports of all sources come in: read, counted, and passed on one by one. */
#ifndef SLUICE_IO_INTAKE_H
#define SLUICE_IO_INTAKE_H

#include <jansson.h>

#include "../core/report.h"
#include "log.h"

enum source { SOURCE_UDP, SOURCE_UNIX, SOURCE_HTTP, SOURCE_FILE, SOURCE_PULL, SOURCES };

struct source_counters {
	__u64 texts;     /* that were good */
	__u64 reports;   /* in them */
	__u64 malformed; /* texts that were not */
	__u64 forged;    /* without the key */
	__u64 replayed;  /* seen before */
	__u64 untimely;  /* sent too long ago, or too far ahead */
	__u64 failed;    /* to be read or asked for at all */
	__u64 strangers; /* reports of nodes that no backend lives on */
};

/* As many strange nodes are named in the log; more may be somebody's mischief. */
#define STRANGERS_NAMED 64

struct intake {
	struct source_counters counters[SOURCES];
	struct log_limit limits[SOURCES];
	char strangers[STRANGERS_NAMED][NAME_BYTES]; /* the log has been told of these */
	unsigned int stranger_count;
	int64_t skew_ms;
	void (*on_report)(void *context, enum source source, const struct report *report);
	/* A text that was good, before its reports; NULL: nobody wants to know. */
	void (*on_text)(void *context, enum source source, const char *text, size_t text_bytes);
	void *context;
};

/*
 * A text as report.h has it. Returns how many reports were in it, or -EINVAL or -ENOMEM with @error
 * filled in, after it was counted and the log told; @from says who sent it.
 */
int intake_text(struct intake *intake, enum source source, const char *from, const char *text,
		size_t text_bytes, struct text_error *error);

/* A refusal that came before there was a text: count it in @counter, tell the log why. */
void intake_refuse(struct intake *intake, enum source source, __u64 *counter, const char *from,
		   const char *why);

/* A report of @node, which no backend lives on: count it, tell the log once a node. */
void intake_stranger(struct intake *intake, enum source source, const char *node);

const char *source_name(enum source source);

/* All counters, by the name of the source; to be released. */
json_t *intake_json(const struct intake *intake);

#endif
