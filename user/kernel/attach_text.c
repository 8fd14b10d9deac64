/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach.h"

#include <errno.h>
#include <string.h>

static const char *const role_names[] = {[ATTACH_LB] = "lb", [ATTACH_NODE] = "node"};
static const char *const mode_names[] = {[ATTACH_AUTO] = "auto",
					 [ATTACH_NATIVE] = "native",
					 [ATTACH_GENERIC] = "generic",
					 [ATTACH_OFFLOAD] = "offload"};
static const char *const way_names[] = {[ATTACH_BY_LINK] = "link",
					[ATTACH_BY_DISPATCHER] = "dispatcher",
					[ATTACH_BY_IP_LINK] = "ip link"};

const char *attach_role_name(enum attach_role role)
{
	return role_names[role];
}

const char *attach_mode_name(enum attach_mode mode)
{
	return mode_names[mode];
}

const char *attach_way_name(enum attach_way way)
{
	return way_names[way];
}

int attach_mode_parse(const char *text, enum attach_mode *mode)
{
	for (int i = ATTACH_AUTO; i <= ATTACH_GENERIC; i++) {
		if (!strcmp(text, mode_names[i])) {
			*mode = i;
			return 0;
		}
	}
	return -EINVAL;
}
