/* SPDX-License-Identifier: GPL-2.0-only */
/* Where things stand in a model; for its verbs. */
#ifndef SLUICE_CORE_MODEL_ORDER_H
#define SLUICE_CORE_MODEL_ORDER_H

#include "model.h"

/* The index of the first backend that is live and stands at or behind (@service, @name). */
size_t model_backend_position(const struct model *model, __u16 service, const char *name);

#endif
