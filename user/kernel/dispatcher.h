/* SPDX-License-Identifier: GPL-2.0-only */
/* libxdp's dispatcher: a program that calls several XDP programs of one device in turn. */
#ifndef SLUICE_KERNEL_DISPATCHER_H
#define SLUICE_KERNEL_DISPATCHER_H

#include "own.h"
#include "xdp_device.h"

/*
 * Whether this kernel takes freplace programs, of which dispatchers are made. Tried out with two
 * tiny programs that are attached nowhere. Returns 0, or the kernel's refusal (negative errno).
 */
int dispatcher_probe(void);

/*
 * What dispatcher @device runs. Returns -ENOENT when none, else 0, with the role and id of our
 * program in it, id 0 when it has none.
 */
int dispatcher_find(const struct xdp_device *device, const struct own_programs *own,
		    enum attach_role *role, __u32 *program_id);

/*
 * Load the object anew and put it behind the dispatcher of @device, which is made if there is
 * none. Returns 0 or negative errno; -EOPNOTSUPP: libxdp would only have attached it alone.
 */
int dispatcher_attach(const struct xdp_device *device, enum attach_mode mode,
		      const struct attach_request *request);

/* Take one program out, and the dispatcher with the last one. Returns 0 or negative errno. */
int dispatcher_detach(const struct xdp_device *device, __u32 program_id);

#endif
