/* SPDX-License-Identifier: GPL-2.0-only */
/* Which scopes a policy makes for the services of a model, and which rules are in each. */
#ifndef SLUICE_CORE_POLICY_SCOPE_H
#define SLUICE_CORE_POLICY_SCOPE_H

#include "policy_image.h"

/*
 * Fill in scopes, ports, boundaries and what any_rule says of the flags. @image->scopes and
 * @image->ports have room for POLICY_SCOPES_MAX. Returns 0, or -ENOSPC or -ENOMEM with @error filled
 * in; @image is to be freed all the same.
 */
int policy_scopes_make(const struct policy *policy, const struct model *model,
		       struct policy_image *image, struct text_error *error);

#endif
