/* SPDX-License-Identifier: GPL-2.0-only */
/* Reasons: why a weight is what it is, in a few words for people. */
#ifndef SLUICE_CORE_REASON_H
#define SLUICE_CORE_REASON_H

#include "../../maps/service.h"

/* Long enough for anything that is said; cut to size at the end. */
struct reason {
	char text[256];
};

/* Add to the reason, behind @separator unless it is the first thing said. */
__attribute__((format(printf, 3, 4))) void reason_say(struct reason *reason, const char *separator,
						      const char *format, ...);

/* A reason too long ends at a word, with " ..." behind it. */
void reason_store(const struct reason *reason, char text[REASON_BYTES]);

/* "@first; @last", where what is too long is taken from @first. */
void reason_store_both(const char *first, const struct reason *last, char text[REASON_BYTES]);

#define NUMBER_BYTES 32
#define DECIMALS_MAX 6

/* A number for a reason, rounded, without trailing zeros and whatever the locale; returns @text. */
const char *reason_number(char text[NUMBER_BYTES], double value, int decimals);

/*
 * A number that was compared with two thresholds, with as many decimals as it takes to see on which
 * side of them it is: 50.001 must not read "50 > 50".
 */
const char *reason_compared(char text[NUMBER_BYTES], double value, double low, double high);

#endif
