/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose SSH sessions there are, out of texts as the kernel and sshd write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/io/ssh_session.h"

/* A machine of the other byte order writes addresses the other way round. */
static const char tcp[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			  "retrnsmt   uid  timeout inode\n"
			  "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 "
			  "00000000     0        0 1 1\n"
			  "   1: 0100000A:0016 0200000A:C350 01 00000000:00000000 02:00000000 "
			  "00000000     0        0 2 1\n"
			  "   2: 0100000A:0016 0200000A:C351 01 00000000:00000000 02:00000000 "
			  "00000000     0        0 3 1\n"
			  "   3: 0100000A:0050 0300000A:C350 01 00000000:00000000 02:00000000 "
			  "00000000     0        0 4 1\n"
			  "   4: 0100000A:C350 0400000A:0016 01 00000000:00000000 02:00000000 "
			  "00000000     0        0 5 1\n"
			  "   5: 0100000A:0016 0500000A:C350 06 00000000:00000000 02:00000000 "
			  "00000000     0        0 6 1\n"
			  " 123: 0100000A:0016 076433C6:C350 01 00000000:00000000 02:00000000 "
			  "00000000     0        0 7 1\n";

static const char tcp6[] =
	"  sl  local_address                         remote_address                        st ...\n"
	"   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000007000000:C350 01 0:0\n"
	"   1: 0000000000000000FFFF00000100000A:0016 0000000000000000FFFF00000800000A:C350 01 0:0\n"
	"   2: garbage\n"
	"   3: 0100:0016 02:C350 01\n";

static void check(const struct ssh_sessions *sessions, size_t index, const char *expected)
{
	char text[ADDRESS_TEXT_BYTES];

	assert_true(index < sessions->count);
	assert_string_equal(address_format(&sessions->client[index], text), expected);
}

static void test_tables(void **state)
{
	static struct ssh_sessions sessions;

	(void)state;
	ssh_sessions_add_table(&sessions, tcp);
	assert_int_equal(sessions.count, 2);
	check(&sessions, 0, "10.0.0.2");
	check(&sessions, 1, "198.51.100.7");
	ssh_sessions_add_table(&sessions, tcp6);
	assert_int_equal(sessions.count, 4);
	check(&sessions, 2, "2001:db8::7");
	check(&sessions, 3, "10.0.0.8");
	ssh_sessions_add_table(&sessions, "");
	assert_int_equal(sessions.count, 4);
}

static void test_connection(void **state)
{
	static const char *const good[] = {"192.0.2.7 50000 10.0.0.1 22", "2001:db8::7 5 ::1 22",
					   "fe80::1%eth0 5 fe80::2%eth0 22", "192.0.2.8"};
	static const char *const bad[] = {"", " ", "localhost 1 2 3", "1.2.3 4 5 6", NULL};
	static struct ssh_sessions sessions;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		ssh_sessions_add_connection(&sessions, good[i]);
	for (size_t i = 0; i < 5; i++)
		ssh_sessions_add_connection(&sessions, bad[i]);
	assert_int_equal(sessions.count, 4);
	check(&sessions, 0, "192.0.2.7");
	check(&sessions, 1, "2001:db8::7");
	check(&sessions, 2, "fe80::1");
	check(&sessions, 3, "192.0.2.8");
}

static void add(struct policy *policy, enum rule_action action, const char *source,
		const char *service)
{
	struct prefix prefix;
	struct rule rule = {.action = action, .prefixes = &prefix, .prefix_count = 1};
	struct text_error error;

	assert_int_equal(prefix_parse(source, &prefix), 0);
	strcpy(rule.service, service);
	strcpy(rule.comment, "why");
	rule.per_second[RATE_PACKETS] = action == RULE_LIMIT;
	assert_int_equal(policy_add(policy, &rule, &error), 0);
}

static void test_check(void **state)
{
	struct policy current = {}, next = {.all_traffic = true};
	static struct ssh_sessions sessions;
	const struct model model = {};
	struct text_error error;

	(void)state;
	ssh_sessions_add_connection(&sessions, "10.0.0.2 1 10.0.0.1 22");
	ssh_sessions_add_connection(&sessions, "2001:db8::7 1 ::1 22");
	add(&next, RULE_DENY, "10.0.0.0/8", "web");
	assert_int_equal(ssh_sessions_check(&sessions, &current, &next, &model, &error), 0);
	add(&next, RULE_DENY, "10.0.0.0/24", "");
	assert_int_equal(ssh_sessions_check(&sessions, &current, &next, &model, &error), -EPERM);
	assert_string_equal(error.what,
			    "rule 2 (deny, why) would cut the SSH session from 10.0.0.2");
	next.all_traffic = false;
	assert_int_equal(ssh_sessions_check(&sessions, &current, &next, &model, &error), 0);
	next.all_traffic = true;
	add(&next, RULE_ALLOW, "10.0.0.2", "");
	assert_int_equal(ssh_sessions_check(&sessions, &current, &next, &model, &error), 0);
	add(&next, RULE_LIMIT, "2001:db8::/32", "");
	assert_int_equal(ssh_sessions_check(&sessions, &current, &next, &model, &error), -EPERM);
	assert_string_equal(error.what,
			    "rule 4 (limit, why) would limit the SSH session from 2001:db8::7");
	/* Those that do not pass now have nothing to lose. */
	assert_int_equal(ssh_sessions_check(&sessions, &next, &next, &model, &error), 0);
	policy_free(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
