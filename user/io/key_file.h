/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_IO_KEY_FILE_H
#define SLUICE_IO_KEY_FILE_H

#include "../core/envelope.h"
#include "../core/text_error.h"

/*
 * The key in a file that not everybody can read or write. NULL with a sentence in @error; free it
 * with envelope_key_free().
 */
struct envelope_key *key_file_read(const char *path, struct text_error *error);

#endif
