/* SPDX-License-Identifier: GPL-2.0-only */
/* Drop reasons in words. */
#ifndef SLUICE_CORE_VERDICT_H
#define SLUICE_CORE_VERDICT_H

#include "../../maps/verdict.h"

/* A short name for machines ("no_backend") and a sentence for people. @reason < DROP_REASONS. */
const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_sentence(enum drop_reason reason);

#endif
