/* SPDX-License-Identifier: GPL-2.0-only */
/* How `attach` and `status` show where a program runs. */
#ifndef SLUICE_CLI_ATTACHMENT_H
#define SLUICE_CLI_ATTACHMENT_H

#include <jansson.h>

#include "../kernel/attach.h"

json_t *attachment_json(const struct attachment *attachment);

#endif
