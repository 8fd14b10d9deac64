/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which backend a QUIC packet's connection id names, as in draft-ietf-quic-load-balancers with the
 * plaintext algorithm. Only what every version of QUIC has in common is read (RFC 8999).
 */
#ifndef SLUICE_BPF_QUIC_H
#define SLUICE_BPF_QUIC_H

#include <linux/udp.h>

#include "../maps/maps.bpf.h"
#include "chain.h"
#include "packet.h"

#define QUIC_LONG_HEADER     0x80 /* of the first octet */
#define QUIC_LONG_LENGTH_AT  5    /* behind first octet and version: length of the connection id */
#define QUIC_LONG_ID_AT      6
#define QUIC_SHORT_ID_AT     1
#define QUIC_ID_BYTES_MAX    20
#define QUIC_NONCE_BYTES_MIN 4
#define QUIC_CONFIG_NO_ROUTE 7 /* in the top bits of a connection id: it names nobody */
#define QUIC_CONFIG_SHIFT    5

/*
 * One bound for every header and length of id, so that the verifier sees constant offsets. A client
 * sends nothing shorter that carries a server id: behind the connection id come at least 20 bytes,
 * which header protection samples (RFC 9001, 5.4.2).
 */
#define QUIC_READ_BYTES (QUIC_LONG_ID_AT + 1 + SERVER_ID_BYTES_MAX)

/* A map key that is made in words. */
union server_id_words {
	struct server_id_key key;
	__u64 word[3];
};

static __always_inline __u64 lowest_bytes(__u32 count)
{
	return count >= 8 ? ~0ULL : (1ULL << count * 8) - 1;
}

/* @id: a connection id, of which the octet of the configuration and 15 more can be read. */
static __always_inline void read_server_id(union server_id_words *words, const __u8 *id,
					   __u16 service_id, __u32 server_id_bytes)
{
	__u64 first = *(const __u64 *)id >> 8;   /* bytes 0 to 6 of the server id */
	__u64 second = *(const __u64 *)(id + 8); /* bytes 7 to 14 */

	first &= lowest_bytes(server_id_bytes);
	second &= server_id_bytes > 7 ? lowest_bytes(server_id_bytes - 7) : 0;
	words->word[0] = service_id | first << 16;
	words->word[1] = first >> 48 | second << 8;
	words->word[2] = second >> 56;
}

/*
 * The id of the backend of @service_id that wrote the connection id of the datagram whose UDP header
 * begins at @l4_bytes in the frame, or BACKEND_NONE. Whether packets may go there is not asked.
 */
__noinline __u16 backend_of_server_id(struct xdp_md *ctx, __u32 l4_bytes, __u16 service_id,
				      __u32 server_id_bytes)
{
	struct udphdr *udp = at(ctx, l4_bytes, sizeof(*udp) + QUIC_READ_BYTES);
	const __u8 *payload = (void *)(udp + 1);
	union server_id_words words;
	struct server_id *found;
	__u32 udp_bytes;
	const __u8 *id;

	if (!udp)
		return BACKEND_NONE;
	/* Behind the datagram there may be Ethernet's padding. */
	udp_bytes = bpf_ntohs(udp->len);
	if (udp_bytes < sizeof(*udp) + QUIC_READ_BYTES)
		return BACKEND_NONE;

	id = payload + QUIC_SHORT_ID_AT;
	if (payload[0] & QUIC_LONG_HEADER) {
		__u32 id_bytes = payload[QUIC_LONG_LENGTH_AT];

		if (id_bytes < 1 + server_id_bytes + QUIC_NONCE_BYTES_MIN ||
		    id_bytes > QUIC_ID_BYTES_MAX ||
		    sizeof(*udp) + QUIC_LONG_ID_AT + id_bytes > udp_bytes)
			return BACKEND_NONE;
		id = payload + QUIC_LONG_ID_AT;
	}
	if (id[0] >> QUIC_CONFIG_SHIFT == QUIC_CONFIG_NO_ROUTE)
		return BACKEND_NONE;

	read_server_id(&words, id, service_id, server_id_bytes);
	found = bpf_map_lookup_elem(&server_ids, &words.key);
	return found ? found->backend : BACKEND_NONE;
}

#endif
