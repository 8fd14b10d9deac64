/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_BYTES_MAX (256u << 20)

static void say(const char *format, va_list arguments)
{
	fputs("sluice: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int cli_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	return CLI_FAILED;
}

void cli_warn(const char *format, ...)
{
	va_list arguments;

	fputs("sluice: warning: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	const struct command *command = cli->command;
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	if (command)
		fprintf(stderr, "usage: sluice %s%s%s%s%s\n", command->noun,
			command->verb ? " " : "", command->verb ? command->verb : "",
			*command->arguments ? " " : "", command->arguments);
	return CLI_USAGE;
}

int cli_option(const struct cli *cli, int argc, char **argv, const struct option *options)
{
	char letters[32] = ":";
	size_t used = 1, i;
	int option;

	for (i = 0; options[i].name && used + 3 < sizeof(letters); i++) {
		if (options[i].val < 'a' || options[i].val > 'z')
			continue;
		letters[used++] = options[i].val;
		if (options[i].has_arg)
			letters[used++] = ':';
	}
	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == ':')
		cli_usage(cli, "%s wants a value", argv[optind - 1]);
	else if (option == '?')
		cli_usage(cli, "unknown option %s", argv[optind - 1]);
	return option == ':' ? '?' : option;
}

bool cli_is_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *number >= min && *number <= max;
}

int cli_number(const struct cli *cli, const char *what, const char *text, uint64_t min,
	       uint64_t max, uint64_t *number)
{
	if (!cli_is_number(text, min, max, number)) {
		cli_usage(cli, "%s is \"%s\", expected a whole number from %llu to %llu", what,
			  text, (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	}
	return 0;
}

char *cli_read_file(const char *path, size_t *bytes)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = NULL;
	size_t room = 0;
	size_t got;

	*bytes = 0;
	if (!file)
		goto fail;
	do {
		if (*bytes + 1 >= room) {
			char *more = room < FILE_BYTES_MAX ? realloc(text, room * 2 + 65536) : NULL;

			errno = more ? 0 : EFBIG;
			if (!more)
				goto fail;
			text = more;
			room = room * 2 + 65536;
		}
		got = fread(text + *bytes, 1, room - *bytes - 1, file);
		*bytes += got;
	} while (got);
	if (ferror(file))
		goto fail;
	text[*bytes] = '\0';
	if (file != stdin)
		fclose(file);
	return text;
fail:
	cli_fail("cannot read %s: %s", path, strerror(errno));
	if (file && file != stdin)
		fclose(file);
	free(text);
	return NULL;
}

uint64_t cli_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int64_t cli_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}
