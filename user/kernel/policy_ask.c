/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_ask.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "complaint.h"
#include "object.h"

#define PROGRAM     "explain"
#define FRAME_BYTES 256

static struct bpf_object *load(const char *pin_dir, const struct settings *settings)
{
	struct bpf_object *object = object_open_lb(pin_dir, settings);
	struct bpf_program *program;
	int err;

	if (!object)
		return NULL;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), PROGRAM));
	err = bpf_object__load(object);
	if (!err)
		return object;
	bpf_object__close(object);
	errno = -err;
	return NULL;
}

int policy_ask(const char *pin_dir, const struct settings *settings, const void *frame,
	       size_t frame_bytes, struct policy_answer *answer, struct text_error *error)
{
	__u8 after[FRAME_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = frame_bytes,
		    .data_out = after, .data_size_out = sizeof(after));
	struct bpf_program *program;
	struct bpf_object *object;
	int err;

	complaint_begin();
	object = load(pin_dir, settings);
	complaint_end();
	if (!object)
		return text_refuse(error, -errno, NULL,
				   "cannot load the program that answers: %s%s%s", strerror(errno),
				   *complaint_text() ? ": " : "", complaint_text());
	program = bpf_object__find_program_by_name(object, PROGRAM);
	err = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	if (err)
		text_refuse(error, err, NULL, "cannot ask the kernel: %s", strerror(-err));
	else if (options.retval == XDP_ABORTED)
		err = text_refuse(error, -ENOMSG, NULL,
				  "the packet path does not understand such a packet");
	else
		memcpy(answer, after, sizeof(*answer));
	bpf_object__close(object);
	return err;
}
