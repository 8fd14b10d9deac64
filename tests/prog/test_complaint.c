/* SPDX-License-Identifier: GPL-2.0-only */
/* Of all that libbpf and the kernel say, the words that tell why a program was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/prog/refused.skel.h"
#include "user/kernel/complaint.h"

static void verifier_says_why(void **state)
{
	struct refused_bpf *skeleton;

	(void)state;
	complaint_begin();
	skeleton = refused_bpf__open_and_load();
	complaint_end();
	assert_null(skeleton);
	assert_true(complaint_of_verifier());
	/* "invalid access to packet", or what another kernel calls it. */
	assert_non_null(strstr(complaint_text(), "the verifier says \"R"));
	assert_null(strchr(complaint_text(), '\n'));
	assert_null(strstr(complaint_text(), "processed"));

	/* The next one has its own. */
	complaint_begin();
	complaint_end();
	assert_false(complaint_of_verifier());
	assert_string_equal(complaint_text(), "");
}

static void library_says_why(void **state)
{
	static const char text[] = "no ELF file at all";

	(void)state;
	complaint_begin();
	assert_null(bpf_object__open_mem(text, sizeof(text), NULL));
	complaint_end();
	assert_false(complaint_of_verifier());
	assert_true(strlen(complaint_text()) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifier_says_why),
		cmocka_unit_test(library_says_why),
	};

	return cmocka_run_group_tests_name("complaint", tests, NULL, NULL);
}
