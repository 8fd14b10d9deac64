/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice policy list; the other verbs are in policy_*.c */
#include "policy.h"

#include <stdio.h>

#include "../kernel/counters.h"
#include "../kernel/policy_state.h"
#include "output.h"
#include "policy_session.h"
#include "policy_text.h"

static json_t *read_rules(const struct policy_session *session)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < session->policy.rule_count; i++) {
		const struct rule *rule = &session->policy.rules[i];
		json_t *row = rule_json(rule, &session->session.model);
		struct rule_counters sum;

		counters_rule(&session->session.maps, rule->id, &sum);
		json_object_set_new(row, "packets", json_integer(sum.packets));
		json_object_set_new(row, "bytes", json_integer(sum.bytes));
		json_object_set_new(row, "dropped_packets", json_integer(sum.dropped_packets));
		json_object_set_new(row, "dropped_bytes", json_integer(sum.dropped_bytes));
		json_array_append_new(rows, row);
	}
	return rows;
}

static size_t count_prefixes(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += policy->rules[i].prefix_count;
	return count;
}

static void print_rules(json_t *rows)
{
	static const struct column columns[] = {
		{"id", "RULE", NULL, 0},
		{"action", "ACTION", NULL, 0},
		{"source", "SOURCE", NULL, 0},
		{"prefixes", "PREFIXES", NULL, 0},
		{"service", "SERVICE", NULL, 0},
		{"destination", "TO", NULL, 0},
		{"port", "PORT", NULL, 0},
		{"proto", "PROTO", NULL, 0},
		{"limit", "LIMIT", NULL, 0},
		{"packets", "PACKETS", NULL, 0},
		{"bytes", "BYTES", NULL, 0},
		{"dropped_packets", "DROPPED", NULL, 0},
		{"dropped_bytes", "DROPPED-BYTES", NULL, 0},
		{"note", "NOTE", NULL, 0},
		{"comment", "COMMENT", NULL, 0},
	};

	output_rows(false, rows, columns, sizeof(columns) / sizeof(columns[0]),
		    "no rules: everything passes");
}

static int policy_list(struct cli *cli, int argc, char **argv)
{
	struct policy_session session;
	json_int_t bytes, prefixes;
	json_t *rows;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind list");
	if (policy_session_open(cli, false, &session))
		return CLI_FAILED;
	rows = read_rules(&session);
	prefixes = count_prefixes(&session.policy);
	bytes = policy_state_bytes(&session.session.maps);
	if (cli->json) {
		output_json(json_pack("{s:b, s:I, s:I, s:o}", "all_traffic",
				      session.policy.all_traffic, "prefixes", prefixes, "bytes",
				      bytes, "rules", rows));
	} else {
		print_rules(rows);
		printf("\n%zu rules, %lld prefixes, %.1f MB; for %s\n", session.policy.rule_count,
		       prefixes, bytes / 1e6,
		       session.policy.all_traffic ? "all traffic" : "traffic to services");
	}
	policy_session_close(&session);
	return CLI_OK;
}

const struct command policy_commands[] = {
	{"policy", "add",
	 "allow|deny|limit SOURCE|any [--feed FILE] [--service SERVICE] [--to PREFIX] "
	 "[--port PORT] "
	 "[--proto tcp|udp] [--packets N] [--new-flows N] [--source-packets N] "
	 "[--source-new-flows N] [--source-bits IPV4/IPV6] [--burst MS] [--comment TEXT] "
	 "[--all-traffic on|off] [--force] [--operator ADDR]",
	 "add a rule", policy_add_rule},
	{"policy", "del", "RULE... [--force] [--operator ADDR]", "remove rules", policy_del_rules},
	{"policy", "replace",
	 "FILE [--feed NAME] [--all-traffic on|off] [--force] [--operator ADDR]",
	 "put the rules of a configuration in force, or a new version of a list", policy_replace},
	{"policy", "list", "", "show the rules and what they did", policy_list},
	{"policy", "test", "SRC[:PORT] DST:PORT/PROTO",
	 "ask the packet path what it would do, change nothing", policy_test},
	{"policy", "watch", "[--pcap FILE] [--count N]", "show a sample of what is dropped",
	 policy_watch},
	{},
};
