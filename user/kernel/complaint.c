/* SPDX-License-Identifier: GPL-2.0-only */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

/* libbpf's prefix of what the kernel answered by netlink (extack). */
static const char kernel_prefix[] = "Kernel error message: ";

/* The libraries' print functions take no context, so this has to be global. */
static struct {
	char from_kernel[192];
	char from_library[192];
	libbpf_print_fn_t libbpf_print;
	libxdp_print_fn_t libxdp_print;
} heard;

static void keep(const char *format, va_list args)
{
	char line[sizeof(heard.from_library)];
	const char *text = line;

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(text, "libbpf: ", 8) || !strncmp(text, "libxdp: ", 8))
		text += 8;
	if (!strncmp(text, kernel_prefix, strlen(kernel_prefix)))
		strcpy(heard.from_kernel, text + strlen(kernel_prefix));
	else if (*text)
		strcpy(heard.from_library, text);
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

void complaint_forget(void)
{
	heard.from_kernel[0] = '\0';
	heard.from_library[0] = '\0';
}
