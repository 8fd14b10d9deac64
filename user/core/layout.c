/* SPDX-License-Identifier: GPL-2.0-only */
#include "layout.h"
#include "keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * n services fall into m places without a collision with probability exp(-n^2 / 2m): at n = 1,024
 * and m = 65,536 one key in 3,000 does, and a key that does not is found out after some 300.
 */
#define ATTEMPTS_MAX 200000

static __u32 place_of(const struct hash_key *key, const struct model_service *service)
{
	__u64 vip[2];

	memcpy(vip, service->vip.word, sizeof(vip));
	return hash_service(key, vip[0], vip[1], htons(service->port), service->protocol) >>
	       (64 - SERVICE_TABLE_BITS);
}

/* @taken[place] is the number of the last attempt that put a service there. */
static bool try_key(const struct model_service *services, size_t count, const struct hash_key *key,
		    __u32 attempt, __u32 *taken, __u32 *places)
{
	size_t i;

	for (i = 0; i < count; i++) {
		places[i] = place_of(key, &services[i]);
		if (taken[places[i]] == attempt)
			return false;
		taken[places[i]] = attempt;
	}
	return true;
}

int layout_make(const struct model_service *services, size_t count, __u64 seed,
		struct layout *layout, __u32 *places)
{
	__u32 *taken = calloc(SERVICE_TABLE_ENTRIES, sizeof(*taken));
	int err = -ENOSPC;
	__u32 attempt;
	size_t i;

	if (!taken)
		return -ENOMEM;
	memset(layout, 0, sizeof(*layout));
	for (i = 0; i < count; i++)
		layout->any_port |= services[i].port == 0;
	for (attempt = 1; attempt <= ATTEMPTS_MAX && err; attempt++) {
		key_from_seed(seed, KEY_LAYOUT, attempt, &layout->key);
		if (try_key(services, count, &layout->key, attempt, taken, places))
			err = 0;
	}
	free(taken);
	return err;
}
