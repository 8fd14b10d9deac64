/* SPDX-License-Identifier: GPL-2.0-only */
/* QUIC server ids: which backend wrote the connection id that a packet carries (QUIC-LB draft). */
#ifndef SLUICE_MAPS_SERVER_ID_H
#define SLUICE_MAPS_SERVER_ID_H

#include <linux/types.h>

#define SERVER_ID_BYTES_MAX 15

struct server_id_key {
	__u16 service;			     /* id */
	__u8 server_id[SERVER_ID_BYTES_MAX]; /* as many bytes as the service says, then 0 */
	__u8 spare;
};
_Static_assert(sizeof(struct server_id_key) == 18, "struct server_id_key");

/*
 * Not halved: the packet path checks the backend's own entry for service and state, so an entry that
 * is a generation early or late routes nothing, and the flow decides.
 */
struct server_id {
	__u16 backend; /* id */
};

#endif
