/* SPDX-License-Identifier: GPL-2.0-only */
/* The latest report of each node that is known: their order, duplicates, and how old each one is. */
#ifndef SLUICE_CORE_LATEST_H
#define SLUICE_CORE_LATEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"

struct latest_config {
	/*
	 * A report from before the one that is kept is late, but only for this long after it came:
	 * then the node's clock has been put back, and two in a row are believed.
	 */
	int64_t late_ms;
	/*
	 * No gap between any two reports counts as more than this. So nobody grows old while the
	 * whole control side is silent, nor at the moment when it is back.
	 */
	int64_t gap_max_ms;
};

const struct latest_config *latest_config_default(void);

enum latest_verdict {
	LATEST_TAKEN,
	LATEST_STRANGER,  /* nobody has asked for this node */
	LATEST_DUPLICATE, /* word for word the one that is kept, of the same last_seen */
	LATEST_LATE,      /* from before the one that is kept */
};

struct latest_node {
	char name[NAME_BYTES];
	struct report report;
	bool reported;
	int64_t first_age_ms; /* that the report had when it came, if it was the node's first */
	int64_t stamp_ms;     /* by the clock of reports, when it came or the node was added */
	int64_t arrived_ms;   /* by CLOCK_MONOTONIC */
	bool late_before;     /* the last report was late, of this last_seen */
	int64_t late_seen_ms;
};

struct latest {
	struct latest_node *nodes;
	size_t count;
	size_t room;
	__u32 *buckets; /* of node + 1, 0: none; twice the room and more, a power of two */
	size_t bucket_count;
	/* Runs while anybody reports. */
	int64_t report_clock_ms;
	bool anybody;
	int64_t anybody_ms; /* when the last report was taken, CLOCK_MONOTONIC */
};

/* Room for @nodes. Returns 0 or -ENOMEM. */
int latest_init(struct latest *latest, size_t nodes);
void latest_free(struct latest *latest);

/*
 * The index of a node, added if it is not known; below the number of names added. What @old (NULL:
 * none) knows of the node comes along. There must be room.
 */
size_t latest_add(struct latest *latest, const struct latest *old, const char *name);

/* Whether reports come in goes on in @latest as in @old; before anything is added. */
void latest_inherit(struct latest *latest, const struct latest *old);

/*
 * Take a report. @now_ms is CLOCK_MONOTONIC, @unix_ms Unix time. The first report of a node is as
 * old as its last_seen says; every later one is new when it comes, so that clocks which differ, or
 * are put, make nobody old. *@index is the node's, but for strangers.
 */
enum latest_verdict latest_put(struct latest *latest, const struct latest_config *config,
			       const struct report *report, int64_t now_ms, int64_t unix_ms,
			       size_t *index);

/* NULL: it has not reported. */
const struct report *latest_report(const struct latest *latest, size_t index);

/* The age of the node's report, or how long it has been silent, by the clock of reports. */
int64_t latest_age_ms(const struct latest *latest, size_t index);

/* Since when no report at all was taken; 0 when none ever was. */
int64_t latest_silence_ms(const struct latest *latest, int64_t now_ms);

#endif
