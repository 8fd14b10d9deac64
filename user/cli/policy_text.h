/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules in words. */
#ifndef SLUICE_CLI_POLICY_TEXT_H
#define SLUICE_CLI_POLICY_TEXT_H

#include <jansson.h>

#include "../core/policy.h"

#define RULE_TEXT_BYTES 320

/* "deny 198.51.100.0/24", "limit any for web to tcp port 443: 5000 new flows/s". Returns @text. */
const char *rule_text(const struct rule *rule, char text[RULE_TEXT_BYTES]);

/* Everything that a rule says, for both kinds of output; to be released. */
json_t *rule_json(const struct rule *rule, const struct model *model);

#endif
