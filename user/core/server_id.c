/* SPDX-License-Identifier: GPL-2.0-only */
#include "server_id.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int hex_digit(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0'
					     : tolower((unsigned char)digit) - 'a' + 10;
}

int server_id_parse(const char *text, struct quic_server_id *id)
{
	size_t digits = strlen(text);
	size_t i;

	memset(id, 0, sizeof(*id));
	if (!strcmp(text, "none"))
		return 0;
	if (!digits || digits % 2 || digits > 2 * SERVER_ID_BYTES_MAX ||
	    strspn(text, "0123456789abcdefABCDEF") != digits)
		return -EINVAL;
	id->count = digits / 2;
	for (i = 0; i < id->count; i++)
		id->byte[i] = hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]);
	return 0;
}

const char *server_id_format(const struct quic_server_id *id, char text[SERVER_ID_TEXT_BYTES])
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < id->count; i++)
		snprintf(text + 2 * i, 3, "%02x", id->byte[i]);
	return text;
}

bool server_id_equal(const struct quic_server_id *a, const struct quic_server_id *b)
{
	return a->count == b->count && !memcmp(a->byte, b->byte, a->count);
}

static int compare_entries(const void *left, const void *right)
{
	const struct server_id_entry *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

size_t server_id_entries(const struct model *model, struct server_id_entry *entries)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];
		struct server_id_entry *entry = &entries[count];

		if (backend->state == BACKEND_GONE || !backend->server_id.count)
			continue;
		entry->key.service = backend->service;
		memcpy(entry->key.server_id, backend->server_id.byte, backend->server_id.count);
		entry->value.backend = backend->id;
		count++;
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	return count;
}
