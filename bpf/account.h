/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage account: what became of a packet. */
#ifndef SLUICE_BPF_ACCOUNT_H
#define SLUICE_BPF_ACCOUNT_H

#include "../maps/maps.bpf.h"
#include "packet.h"

/* Bytes are those of the frame that came in, whatever went out around it. */
static __always_inline void account(const struct packet *packet, const struct service *service)
{
	__u32 service_key = service->id;
	__u32 backend_key = packet->backend;
	struct service_counters *of_service;
	struct backend_counters *of_backend;

	of_service = bpf_map_lookup_elem(&service_counters, &service_key);
	of_backend = bpf_map_lookup_elem(&backend_counters, &backend_key);
	if (!of_service || !of_backend)
		return;
	of_service->packets++;
	of_service->bytes += packet->frame_bytes;
	of_backend->packets++;
	of_backend->bytes += packet->frame_bytes;
	if (unlikely(packet->new_flow)) {
		of_service->new_flows++;
		of_backend->new_flows++;
	} else if (unlikely(packet->syn_again)) {
		of_backend->syn_retransmits++;
	} else if (unlikely(packet->established)) {
		of_backend->established++;
	}
}

#endif
