/* SPDX-License-Identifier: GPL-2.0-only */
/* QUIC server ids: in words, and as the entries of the map server_ids. */
#ifndef SLUICE_CORE_SERVER_ID_H
#define SLUICE_CORE_SERVER_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "../../maps/server_id.h"

#define SERVER_ID_TEXT_BYTES (2 * SERVER_ID_BYTES_MAX + 1)
#define SERVER_ID_EXPECTED   "1 to 15 bytes as pairs of hexadecimal digits, or none"

/* What a backend writes into its connection ids. */
struct quic_server_id {
	__u8 byte[SERVER_ID_BYTES_MAX];
	__u8 count; /* 0: it has none */
};

struct server_id_entry {
	struct server_id_key key;
	struct server_id value;
};
_Static_assert(offsetof(struct server_id_entry, value) == sizeof(struct server_id_key),
	       "the value stands right behind its key");

struct model;

/* Pairs of hexadecimal digits, at most SERVER_ID_BYTES_MAX; "none": no bytes. 0 or -EINVAL. */
int server_id_parse(const char *text, struct quic_server_id *id);

/* Lower-case hexadecimal, "" for none; returns @text. */
const char *server_id_format(const struct quic_server_id *id, char text[SERVER_ID_TEXT_BYTES]);

bool server_id_equal(const struct quic_server_id *a, const struct quic_server_id *b);

/*
 * What the map is to hold: an entry for each live backend with a server id, by key. @entries has
 * room for all of @model's backends and is zeroed. Returns how many there are.
 */
size_t server_id_entries(const struct model *model, struct server_id_entry *entries);

#endif
