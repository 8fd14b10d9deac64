/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our XDP programs on network devices of the caller's network namespace.
 *
 * A loaded and pinned program (PIN_DIR/lb, PIN_DIR/node) runs on a device in one of three ways:
 *
 *	dispatcher  in libxdp's chain, next to programs of others. That takes a copy of the
 *		    program, loaded anew as freplace with the same maps.
 *	link	    alone, held by a link that is pinned at PIN_DIR/links/DEVICE.
 *	ip link	    alone, put there by hand: ip link set dev DEVICE xdp pinned PIN_DIR/lb
 *
 * The functions return 0 or negative errno with a sentence in @error->what, and print nothing.
 */
#ifndef SLUICE_KERNEL_ATTACH_H
#define SLUICE_KERNEL_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <net/if.h>
#include <linux/types.h>

#include "../core/text_error.h"

struct bpf_object;

enum attach_role { ATTACH_LB, ATTACH_NODE, ATTACH_ROLES };

enum attach_mode {
	ATTACH_AUTO, /* native where the driver can, else generic; never reported */
	ATTACH_NATIVE,
	ATTACH_GENERIC,
	ATTACH_OFFLOAD, /* only reported */
};

enum attach_way {
	ATTACH_BY_LINK,
	ATTACH_BY_DISPATCHER,
	ATTACH_BY_IP_LINK,
};

/* One of our programs on one device. */
struct attachment {
	char device[IF_NAMESIZE];
	int ifindex;
	enum attach_role role;
	enum attach_mode mode;
	enum attach_way way;
	__u32 program_id;
};

struct attach_request {
	const char *pin_dir;
	const char *device;
	enum attach_role role;
	enum attach_mode mode;
	bool alone; /* do not try libxdp's dispatcher */
	/*
	 * Open the role's object, its maps set to reuse the pinned ones, and do not load it. The
	 * XDP program has the role's name. It is closed here, with bpf_object__close(). NULL with errno
	 * set on failure. Only called when the dispatcher is used; NULL is like alone.
	 */
	struct bpf_object *(*open_object)(void *context);
	void *context;
};

struct attach_result {
	struct attachment attachment; /* as the kernel tells it afterwards */
	bool replaced;  /* a program of ours ran there before; no packet went past in between */
	char note[256]; /* why it is not as one would wish; "" if it is */
};

int attach_program(const struct attach_request *request, struct attach_result *result,
		   struct text_error *error);

/*
 * Remove what is ours from @device and leave what is not. A link's pin that its device has left
 * behind by vanishing is removed as well. @was tells what has been removed; its ifindex is 0 after
 * a mere left-over.
 */
int attach_detach(const char *pin_dir, const char *device, struct attachment *was,
		  struct text_error *error);

/* Where our programs run. *@list is to be freed with free(). */
int attach_list(const char *pin_dir, struct attachment **list, size_t *count,
		struct text_error *error);

const char *attach_role_name(enum attach_role role);
const char *attach_mode_name(enum attach_mode mode);
const char *attach_way_name(enum attach_way way);
int attach_mode_parse(const char *text, enum attach_mode *mode);

#endif
