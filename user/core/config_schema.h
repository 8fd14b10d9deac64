/* SPDX-License-Identifier: GPL-2.0-only */
/* Which keys a configuration has, and where, as libcyaml wants to be told. */
#ifndef SLUICE_CORE_CONFIG_SCHEMA_H
#define SLUICE_CORE_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t config_schema;

/* The keys of the map at @path, such as "services[0].health". */
const cyaml_schema_field_t *config_schema_fields(const char *path);

#endif
