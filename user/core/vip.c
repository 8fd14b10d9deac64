/* SPDX-License-Identifier: GPL-2.0-only */
#include "vip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int compare_keys(const struct vip_entry *a, const struct vip_entry *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static int compare_entries(const void *left, const void *right)
{
	return compare_keys(left, right);
}

static void entry_of(const struct model_service *service, struct vip_entry *entry)
{
	memcpy(entry->key.vip, service->vip.word, sizeof(entry->key.vip));
	if (service->protocol == IPPROTO_TCP) {
		entry->value.protocols = VIP_TCP;
		entry->value.tcp_port = htons(service->port);
	} else {
		entry->value.protocols = VIP_UDP;
		entry->value.udp_port = htons(service->port);
	}
}

static __be16 lower_port(const struct vip *a, const struct vip *b, enum vip_protocols protocol,
			 __be16 a_port, __be16 b_port)
{
	if (!(a->protocols & protocol))
		return b_port;
	if (!(b->protocols & protocol))
		return a_port;
	return ntohs(a_port) < ntohs(b_port) ? a_port : b_port;
}

static void merge(struct vip *into, const struct vip *from)
{
	into->tcp_port = lower_port(into, from, VIP_TCP, into->tcp_port, from->tcp_port);
	into->udp_port = lower_port(into, from, VIP_UDP, into->udp_port, from->udp_port);
	into->protocols |= from->protocols;
}

size_t vip_entries(const struct model *model, struct vip_entry *entries)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < model->service_count; i++)
		entry_of(&model->services[i], &entries[i]);
	qsort(entries, model->service_count, sizeof(*entries), compare_entries);
	for (i = 0; i < model->service_count; i++) {
		if (count && !compare_keys(&entries[count - 1], &entries[i]))
			merge(&entries[count - 1].value, &entries[i].value);
		else
			entries[count++] = entries[i];
	}
	return count;
}
