/* SPDX-License-Identifier: GPL-2.0-only */
#include "text_error.h"

#include <stdarg.h>
#include <stdio.h>

int text_refuse(struct text_error *error, int code, const char *field, const char *format, ...)
{
	va_list args;

	error->line = 0;
	error->field = field;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);

	/* What was refused may hold line feeds, terminal escapes or half a UTF-8 sequence. */
	for (char *c = error->what; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return code;
}
