/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model: everything that Sluice has been told, in plain memory. A command reads it from the
 * pinned maps, changes it here, and publishes it whole; nothing else changes it.
 *
 * The verbs check what they are given and change nothing when they refuse.
 */
#ifndef SLUICE_CORE_MODEL_H
#define SLUICE_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "../../maps/backend.h"
#include "../../maps/service.h"
#include "address.h"
#include "server_id.h"
#include "text_error.h"

#define BASE_WEIGHT_DEFAULT 100
#define BACKEND_GRACE_NS    60000000000ULL /* that the id of a deleted backend rests */

/*
 * Less than 536 no host need send (RFC 9293, 3.7.1); more than a packet of 65535 bytes holds behind
 * its IPv4 and TCP headers none can.
 */
#define MSS_BYTES_MIN 536
#define MSS_BYTES_MAX 65495

/* How long a UDP flow without a packet is remembered. */
#define IDLE_S_DEFAULT 60
#define IDLE_S_MIN     1
#define IDLE_S_MAX     86400

/* A range of the slots map; count 0: none. */
struct slot_range {
	__u32 base;
	__u32 count; /* a power of two */
};

/* How frames reach a backend; filled in by io/next_hop.c. */
struct next_hop {
	enum next_hop_state state;
	__u32 egress_ifindex;
	__u8 next_hop_mac[6];
	__u8 egress_mac[6];
	__u16 mtu_bytes;
	__u16 vlan[2];         /* tags that the route's device puts on, outermost first; 0: none */
	struct address source; /* that this machine would use towards the backend */
	struct address neighbour; /* whose MAC address it is; not kept in the maps */
};

struct model_service {
	__u16 id; /* stable while the service exists */
	char name[NAME_BYTES];
	struct address vip;
	__u16 port; /* host order; 0: every port */
	__u8 protocol;
	enum forward_mode forward;
	__u32 flags;          /* enum service_flags */
	__u8 priority;        /* the class: 0 is never shed, SERVICE_PRIORITY_MAX first */
	__u32 idle_ms;        /* UDP; TCP: 0 */
	__u16 mss_bytes;      /* 0: as it came */
	__u8 server_id_bytes; /* of its backends' QUIC server ids; 0: they route nothing */
	__u32 slot_count;     /* as asked for; 0: by the number of backends */
	struct slot_range slots;
	struct slot_range old_slots; /* from before the last change of candidates */
	__u64 old_until_ns;          /* CLOCK_MONOTONIC */
};

struct model_backend {
	__u16 id;      /* stable while the backend exists, and for a grace period after */
	__u16 service; /* id */
	char name[NAME_BYTES];
	char node[NAME_BYTES];
	char region[REGION_BYTES];
	char reason[REASON_BYTES];
	struct address address;
	__u16 port; /* host order; 0: the service's */
	__u16 base_weight;
	__u16 table_weight; /* that the candidates were made with; 0: not in the table yet */
	bool base_changed;  /* by model_backend_set(), until plan_make() has made new candidates */
	__u32 weight_milli;
	__u16 bias;
	enum backend_state state; /* UP, DRAIN, DOWN as the operator set it; GONE once deleted */
	bool failed; /* found dead by the daemon: DOWN for packets, whatever the operator set */
	__u64 gone_until_ns;
	struct quic_server_id server_id;
	struct next_hop next_hop;
};

struct model {
	__u64 generation;
	__u32 backends_max; /* ids are below it */
	__u32 slots_max;
	struct model_service *services; /* sorted by name */
	size_t service_count;
	/* By service id, then by name; behind them the GONE ones, also by service id, then name. */
	struct model_backend *backends;
	size_t backend_count;
};

void model_free(struct model *model);

/* Bring both arrays into their order, for who fills a model without the verbs. */
void model_sort(struct model *model);

/*
 * What the verbs take. Text fields may be NULL where they are optional. All verbs return 0,
 * -EEXIST, -ENOENT, -EINVAL, -ENOSPC or -ENOMEM, with a sentence for the user in @error->what and
 * the part of the request that is at fault in @error->field.
 */
struct service_request {
	const char *name;
	struct address vip;
	__u16 port;
	__u8 protocol;
	enum forward_mode forward;
	__u32 slot_count;
	bool local_count;
	__u32 idle_ms;        /* UDP only; 0: IDLE_S_DEFAULT */
	__u16 mss_bytes;      /* TCP only; 0: as it came */
	__u8 server_id_bytes; /* UDP only; 0: none */
	__u8 priority;        /* the class: 0 is never shed, SERVICE_PRIORITY_MAX first */
};

struct backend_request {
	const char *name;
	struct address address;
	__u16 port;
	const char *node;   /* NULL: the backend's own name */
	const char *region; /* NULL: none */
	__u16 base_weight;
	enum backend_state state;
	struct quic_server_id server_id;
};

/* The id is the lowest that no service has and no GONE backend still carries. */
int model_service_add(struct model *model, const struct service_request *request,
		      struct text_error *error);

/* What would make @service as it is; its name stays the service's. */
struct service_request model_service_request(const struct model_service *service);

/*
 * Everything of @request but its VIP, port and protocol, which make the service what it is, becomes
 * that of the service of that name. Refused while a backend has a server id of another length.
 */
int model_service_set(struct model *model, const struct service_request *request,
		      struct text_error *error);

/* Its backends become GONE and keep its id. @now_ns: CLOCK_MONOTONIC. */
int model_service_del(struct model *model, const char *name, __u64 now_ns,
		      struct text_error *error);

/*
 * The id is the next one after the highest in use (GONE ones count), from 1 again at the end, so
 * that ids come back as late as they can.
 */
int model_backend_add(struct model *model, const char *service,
		      const struct backend_request *request, struct text_error *error);

/* The backend becomes GONE: weight 0, kept until model_expire() finds BACKEND_GRACE_NS gone by. */
int model_backend_del(struct model *model, const char *service, const char *name, __u64 now_ns,
		      struct text_error *error);

/* NULL for what stays. A new base weight becomes the weight as well, and needs new candidates. */
int model_backend_set(struct model *model, const char *service, const char *name,
		      const __u16 *base_weight, const enum backend_state *state,
		      struct text_error *error);

/* An id of no bytes takes the backend's away. */
int model_backend_set_server_id(struct model *model, const char *service, const char *name,
				const struct quic_server_id *server_id, struct text_error *error);

/* Look-ups; NULL when there is none. GONE backends are never found. */
struct model_service *model_service_find(const struct model *model, const char *name);
struct model_service *model_service_by_id(const struct model *model, __u16 id);
struct model_backend *model_backend_find(const struct model *model, __u16 service,
					 const char *name);

/* Forget GONE backends whose rest is over, and old slots whose grace period is. */
void model_expire(struct model *model, __u64 now_ns);

/* A name is 1 to NAME_BYTES-1 of letters, digits and . _ - : with a letter or digit first. */
bool model_name_valid(const char *name);

/* A node's name is whatever nodes say of themselves: 1 to NAME_BYTES-1 printable bytes. */
bool model_node_valid(const char *node);

/* A region is up to REGION_BYTES-1 printable bytes; empty: none. */
bool model_region_valid(const char *region);

/*
 * NULL for an address that a VIP, a backend or a tunnel source can have, else what it is: "the
 * unspecified address", "a multicast address", ...
 */
const char *model_address_unusable(const struct address *address);

/* Words for the values, and back (0 or -EINVAL); they are those of the CLI and of config.h. */
const char *protocol_name(__u8 protocol);
const char *priority_name(__u8 priority); /* "P0" to "P2" */
const char *forward_name(enum forward_mode forward);
const char *backend_state_name(enum backend_state state);
const char *next_hop_state_name(enum next_hop_state state);
int protocol_parse(const char *text, __u8 *protocol);
int priority_parse(const char *text, __u8 *priority);
int forward_parse(const char *text, enum forward_mode *forward);
int backend_state_parse(const char *text, enum backend_state *state);

/* The state that packets find: "failed", or the operator's. */
const char *backend_state_found(const struct model_backend *backend);

#endif
