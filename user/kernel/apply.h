/* SPDX-License-Identifier: GPL-2.0-only */
/* The only writer of the state maps. */
#ifndef SLUICE_KERNEL_APPLY_H
#define SLUICE_KERNEL_APPLY_H

#include "../core/measure.h"
#include "../core/model.h"
#include "../core/policy.h"
#include "maps.h"

/*
 * Publish @model: lay it out, write it into the half that no packet reads, flip the generation. All
 * or nothing: whatever fails or is killed before the flip has changed nothing. @maps are open for
 * writing. @model is brought up to date (biases, slots, generation) on success and half-changed on
 * failure. Does not wait for anything when the last publication is settled.
 *
 * Returns 0 or a negative errno with @error filled in.
 */
int apply_publish(const struct maps *maps, struct model *model, struct text_error *error);

/*
 * The same, and with it @policy, in place of the one in force: both or neither, unless the writer is
 * killed between its two flips. NULL: the policy stays. policy->generation is brought up to date.
 */
int apply_publish_both(const struct maps *maps, struct model *model, struct policy *policy,
		       struct text_error *error);

/*
 * Wait until no packet can read the half that was in use before the last flip (an RCU grace period,
 * some 10 ms), so that the next publication need not. Dying here costs only the next one's time.
 */
void apply_settle(const struct maps *maps);

/* Both, which is what a command wants. */
int apply(const struct maps *maps, struct model *model, struct text_error *error);

/* First words into freshly created maps, before anyone can open them. Returns 0 or negative errno. */
int apply_settings(int control_fd, int settings_fd, const struct settings *settings);

/*
 * Note what of @settings a program may be loaded with anew, onto the same maps: the GUE port and the
 * rate of ICMP. @maps are open for writing.
 */
void apply_options(const struct maps *maps, const struct settings *settings);

/*
 * Write which services a node's TC programs measure: @entries, by key, and no others. Returns 0 or
 * negative errno.
 */
int apply_measure(int services_fd, int settings_fd, const struct measure_entry *entries,
		  size_t count);

#endif
