/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_CORE_PLURAL_H
#define SLUICE_CORE_PLURAL_H

/* What the noun behind a number ends in. */
static inline const char *plural(unsigned long long number)
{
	return number == 1 ? "" : "s";
}

#endif
