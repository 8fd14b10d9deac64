/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf and libxdp would print, kept for our own messages instead. */
#ifndef SLUICE_KERNEL_COMPLAINT_H
#define SLUICE_KERNEL_COMPLAINT_H

#include <stdbool.h>

/* From here on until complaint_end() nothing is printed. Calls do not nest. */
void complaint_begin(void);
void complaint_end(void);

/*
 * What they said last, without their prefix and the line feed; "" if nothing. The driver's or the
 * kernel's own words win over what the libraries say on top; of the verifier's, the line that says
 * why it refuses a program. Valid until the next complaint_begin().
 */
const char *complaint_text(void);

/* Whether that is the verifier's. */
bool complaint_of_verifier(void);

/* Forget what was said so far: the next attempt starts afresh. */
void complaint_forget(void);

#endif
