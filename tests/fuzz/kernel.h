/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's part, in plain C: maps, the frame and the helpers. What the verifier and the memory
 * of the kernel would stop is poisoned here, so that the sanitizers stop it.
 */
#ifndef SLUICE_TESTS_FUZZ_KERNEL_H
#define SLUICE_TESTS_FUZZ_KERNEL_H

#include <stdbool.h>
#include <linux/bpf.h>

#define CPUS             2
#define FRAME_BYTES_MAX  4096
#define HEADROOM_BYTES   256
#define ETHERNET_BYTES   14
#define IFINDEX_NEAR     1 /* frames come in by this device unless told otherwise */
#define IFINDEX_FAR      2
#define JIFFIES_AT_START 0x1000a0000ULL

enum map_kind {
	MAP_STATE,  /* the programs may read it */
	MAP_MEMORY, /* and write; zeroed before every input */
};

/* Declare a map of a program's to the helpers; a hash map has no more than 64 entries here. */
void map_add(const void *map, __u32 key_bytes, __u32 value_bytes, __u32 entries, bool hash,
	     enum map_kind kind);

/* An array of maps; @nested are what their elements are declared by, and are declared likewise. */
void map_add_outer(const void *map, const void *const *nested, __u32 entries);

/* Elements of array maps, for setting up and for looking. */
void *map_at(const void *map, __u32 index);

/* Add an entry to a hash map; returns its value. */
void *map_insert(const void *map, const void *key);

/* From now on a write to MAP_STATE is a finding. */
void maps_protect(void);

/* Memory as it was at the start. */
void maps_reset(void);

/*
 * What programs told by their ring since the last reset; NULL: no more. It has room for so few
 * records that it does get full.
 */
#define RING_RECORDS_MAX  16
#define RING_RECORD_BYTES 256
const void *ring_record(__u32 index);

/* The same, sockets and time too. */
void kernel_reset(void);

/* Set a constant of a program's, as the loader does before it loads. */
void set_constant(const volatile void *constant, const void *value, __u32 bytes);

/* How one packet arrives. */
struct arrival {
	__u32 cpu;
	__u32 later_jiffies; /* than the packet before */
	__u32 ifindex;
	__u32 headroom_bytes; /* up to HEADROOM_BYTES */
	__u32 linear_bytes;   /* that the program can see; the rest of the frame is in fragments */
};

/* Put a frame where it can be read and written, and nothing around it. */
struct xdp_md *frame_arrive(const __u8 *frame, __u32 bytes, const struct arrival *arrival);

/* Copies the whole frame as it is now, FRAME_BYTES_MAX + HEADROOM_BYTES at most. */
__u32 frame_leave(__u8 *frame);

/* Where the program sent it to. */
__u32 redirect_ifindex(void);

/* References to sockets that the program has and did not give back. */
int sockets_held(void);

/* What the kernel's routes say here, by the last byte of the address that is asked for. */
#define WAY_KINDS 4
enum way_kind { WAY_NEAR, WAY_FAR, WAY_NO_NEIGHBOUR, WAY_NONE };
extern const __u8 way_macs[12]; /* destination and source of what leaves by them */

#endif
