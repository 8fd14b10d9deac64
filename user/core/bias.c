/* SPDX-License-Identifier: GPL-2.0-only */
#include "bias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fixed point: the shift is the number of bits behind the point. */
#define ONE_SHIFT   30 /* probabilities and s of the coin */
#define ONE	    (1ull << ONE_SHIFT)
#define QUOTA_SHIFT 43 /* slots; with SLOT_COUNT_MAX slots it fills 63 bits */
#define X_SHIFT	    16 /* of x behind the bias that is published */
#define RATIO_SHIFT 20

#define FULL	  (ONE * 97 / 100) /* of a backend's slots is what a bias can reasonably win */
#define GOOD_PPM  200		   /* no further rounds below this error */

/* What a coin is tossed with. The last entry stands for CANDIDATE_NONE. */
struct coin {
	__u64 entry;	  /* bias << 16 | index: one comparison orders both */
	__u64 reciprocal; /* 2^46 / bias */
	__u64 won;	  /* sixths of slots, ONE_SHIFT */
};

struct field {
	__u32 count;
	__u32 served;	    /* how many of slots[] there are */
	struct slot *slots; /* where each slot's flows go in the end; those that go nowhere left out */
	struct coin *coins; /* count + 1 */
	__u32 *held;	    /* by backend, how many of slots[] hold it, + 1 */
};

static void field_free(struct field *field)
{
	free(field->slots);
	free(field->coins);
	free(field->held);
}

static inline bool has_live(const struct coin *coins, const struct slot *slot)
{
	return (coins[slot->candidate[0]].entry | coins[slot->candidate[1]].entry |
		coins[slot->candidate[2]].entry) >> 16;
}
