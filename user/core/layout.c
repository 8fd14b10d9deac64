/* SPDX-License-Identifier: GPL-2.0-only */
#include "layout.h"
#include "keys.h"

#include <arpa/inet.h>
#include <errno.h>
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

/* @taken has a bit for each place; it comes and goes all 0. */
static bool try_key(const struct model_service *services, size_t count, const struct hash_key *key,
		    __u64 *taken, __u32 *places)
{
	bool collision = false;
	size_t i, stood;

	for (i = 0; i < count && !collision; i++) {
		__u64 bit;

		places[i] = place_of(key, &services[i]);
		bit = 1ULL << (places[i] % 64);
		collision = taken[places[i] / 64] & bit;
		taken[places[i] / 64] |= bit;
	}
	for (stood = 0; stood < i; stood++)
		taken[places[stood] / 64] = 0;
	return !collision;
}

int layout_make(const struct model_service *services, size_t count, __u64 seed,
		struct layout *layout, __u32 *places)
{
	__u64 taken[SERVICE_TABLE_ENTRIES / 64] = {0};
	__u32 attempt;
	size_t i;

	memset(layout, 0, sizeof(*layout));
	for (i = 0; i < count; i++)
		layout->any_port |= services[i].port == 0;
	for (attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
		key_from_seed(seed, KEY_LAYOUT, attempt, &layout->key);
		if (try_key(services, count, &layout->key, taken, places))
			return 0;
	}
	return -ENOSPC;
}
