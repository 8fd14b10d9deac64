/* SPDX-License-Identifier: GPL-2.0-only */
/* Where and why something that a person wrote was refused. */
#ifndef SLUICE_CORE_TEXT_ERROR_H
#define SLUICE_CORE_TEXT_ERROR_H

struct text_error {
	int line;          /* 0: not known */
	const char *field; /* at fault, as the configuration calls it; NULL: none or not known */
	char what[256];    /* one line of printable ASCII, whatever was quoted in it */
};

/* Fill in @error, without a line, and return @code, so that a refusal is one statement. */
__attribute__((format(printf, 4, 5))) int text_refuse(struct text_error *error, int code,
						      const char *field, const char *format, ...);

#endif
