/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_CLI_CONFIG_FILE_H
#define SLUICE_CLI_CONFIG_FILE_H

#include "../core/config.h"

/*
 * Read it and the lists that its rules name. Returns CLI_OK with @config to be freed, or CLI_FAILED
 * after the user has been told.
 */
int config_file_read(const char *path, struct config *config);

/* The same for who has nobody to tell: 0, or negative errno with one line in @error. */
int config_file_load(const char *path, struct config *config, struct text_error *error);

/*
 * Read a list of prefixes. Returns 0 with *@prefixes to be freed with free(), or negative errno with
 * one line in @error, which names the file and the line at fault.
 */
int feed_file_load(const char *path, struct prefix **prefixes, size_t *count,
		   struct text_error *error);

#endif
