/* SPDX-License-Identifier: GPL-2.0-only */
#include "complaint.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

/* libbpf's prefix of what the kernel answered by netlink (extack). */
static const char kernel_prefix[] = "Kernel error message: ";

/* What it puts around the verifier's log. */
static const char log_begin[] = "-- BEGIN PROG LOAD LOG --";
static const char log_end[] = "-- END PROG LOAD LOG --";

#define VERDICT_BYTES_MAX 150

/* The libraries' print functions take no context, so this has to be global. */
static struct {
	char from_kernel[192];
	char from_library[192];
	bool of_verifier;
	libbpf_print_fn_t libbpf_print;
	libxdp_print_fn_t libxdp_print;
} heard;

/* Of the verifier's log the line that says why: the last before its statistics. */
static void keep_verdict(const char *log)
{
	const char *why = log, *next;
	size_t bytes;

	for (const char *line = log; (next = strchr(line, '\n')); line = next + 1) {
		if (!strncmp(line, "processed ", 10) || !strncmp(line, "verification time", 17) ||
		    !strncmp(line, log_end, strlen(log_end)))
			break;
		if (next != line)
			why = line;
	}
	bytes = strcspn(why, "\n");
	heard.of_verifier = true;
	snprintf(heard.from_kernel, sizeof(heard.from_kernel), "the verifier says \"%.*s\"",
		 bytes < VERDICT_BYTES_MAX ? (int)bytes : VERDICT_BYTES_MAX, why);
}

static bool keep_log(const char *text)
{
	const char *begin = strstr(text, log_begin);

	if (!begin || !strchr(begin, '\n'))
		return false;
	keep_verdict(strchr(begin, '\n') + 1);
	return true;
}

static void keep_line(char *line)
{
	const char *text = line;

	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(text, "libbpf: ", 8) || !strncmp(text, "libxdp: ", 8))
		text += 8;
	if (!strncmp(text, kernel_prefix, strlen(kernel_prefix)))
		snprintf(heard.from_kernel, sizeof(heard.from_kernel), "%s",
			 text + strlen(kernel_prefix));
	else if (*text)
		snprintf(heard.from_library, sizeof(heard.from_library), "%s", text);
}

static void keep(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	if (!keep_log(text))
		keep_line(text);
	free(text);
}

__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level,
							      const char *format, va_list args)
{
	if (level == LIBBPF_WARN)
		keep(format, args);
	return 0;
}

__attribute__((format(printf, 2, 0))) static int print_libxdp(enum libxdp_print_level level,
							      const char *format, va_list args)
{
	if (level == LIBXDP_WARN)
		keep(format, args);
	return 0;
}

void complaint_begin(void)
{
	complaint_forget();
	heard.libbpf_print = libbpf_set_print(print_libbpf);
	heard.libxdp_print = libxdp_set_print(print_libxdp);
}

void complaint_end(void)
{
	libbpf_set_print(heard.libbpf_print);
	libxdp_set_print(heard.libxdp_print);
}

const char *complaint_text(void)
{
	return heard.from_kernel[0] ? heard.from_kernel : heard.from_library;
}

bool complaint_of_verifier(void)
{
	return heard.of_verifier;
}

void complaint_forget(void)
{
	heard.from_kernel[0] = '\0';
	heard.from_library[0] = '\0';
	heard.of_verifier = false;
}
