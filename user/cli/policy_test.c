/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice policy test */
#include <stdio.h>
#include <string.h>

#include "../core/frame.h"
#include "../kernel/policy_ask.h"
#include "output.h"
#include "policy.h"
#include "policy_session.h"
#include "policy_text.h"

/* Of clients that do not say: the first that a kernel would choose by itself (RFC 6335, 6). */
#define CLIENT_PORT 49152

#define NOTHING_CHANGED "nothing was sent, counted or changed"

static int parse_destination(const struct cli *cli, const char *text, struct frame_flow *flow)
{
	const char *slash = strrchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : 0;
	char address[ADDRESS_TEXT_BYTES];

	if (length && length < sizeof(address)) {
		memcpy(address, text, length);
		address[length] = '\0';
		if (!address_parse_port(address, &flow->destination, &flow->destination_port) &&
		    flow->destination_port && !protocol_parse(slash + 1, &flow->protocol))
			return CLI_OK;
	}
	return cli_usage(cli,
			 "got \"%s\", expected ADDRESS:PORT/tcp or /udp, such as "
			 "192.0.2.1:80/tcp or [2001:db8::1]:80/tcp",
			 text);
}

static int parse(const struct cli *cli, int argc, char **argv, struct frame_flow *flow)
{
	if (argc != 3)
		return cli_usage(cli, "expected a source and a destination");
	if (address_parse_port(argv[1], &flow->source, &flow->source_port))
		return cli_usage(cli, "got \"%s\", expected ADDRESS or ADDRESS:PORT of a source",
				 argv[1]);
	if (parse_destination(cli, argv[2], flow))
		return CLI_USAGE;
	if (address_is_ipv4(&flow->source) != address_is_ipv4(&flow->destination))
		return cli_usage(cli, "source and destination are not of the same family");
	if (!flow->source_port)
		flow->source_port = CLIENT_PORT;
	return CLI_OK;
}

static const char *verdict_of(const struct policy_answer *answer)
{
	switch (answer->action) {
	case RULE_DENY:
		return "drop";
	case RULE_LIMIT:
		return "pass within limits";
	default:
		return "pass";
	}
}

static void print_answer(const struct policy_answer *answer, const struct rule *rule,
			 const char *service)
{
	char text[RULE_TEXT_BYTES];

	printf("service   %s\n", service ? service : "none");
	printf("verdict   %s\n", verdict_of(answer));
	if (rule)
		printf("rule      %u: %s\n", rule->id, rule_text(rule, text));
	else
		printf("rule      %s\n", answer->asked
						 ? "none is about it"
						 : "none: there are no rules for such packets");
	if (rule && rule->prefix_count > 1)
		printf("prefix    of %u bits\n", answer->bits);
	if (rule && *rule->comment)
		printf("comment   %s\n", rule->comment);
	puts("          " NOTHING_CHANGED);
}

static json_t *answer_json(const struct policy_answer *answer, const struct rule *rule,
			   const char *service)
{
	char text[RULE_TEXT_BYTES];
	json_t *root = json_pack("{s:s, s:i, s:i, s:b}", "verdict", verdict_of(answer), "rule",
				 answer->rule, "bits", answer->bits, "asked", answer->asked);

	json_object_set_new(root, "service", service ? json_string(service) : json_null());
	json_object_set_new(root, "text", rule ? json_string(rule_text(rule, text)) : json_null());
	json_object_set_new(root, "comment", rule ? json_string(rule->comment) : json_null());
	return root;
}

int policy_test(struct cli *cli, int argc, char **argv)
{
	const struct model_service *service;
	struct frame_flow flow = {};
	struct policy_session session;
	struct policy_answer answer;
	__u8 frame[FRAME_MADE_BYTES];
	const struct rule *rule;
	struct text_error error;
	int status = parse(cli, argc, argv, &flow);

	if (status)
		return status;
	if (policy_session_open(cli, false, &session))
		return CLI_FAILED;
	if (policy_ask(cli->pin_dir, session.session.maps.settings, frame, frame_make(&flow, frame),
		       &answer, &error)) {
		policy_session_close(&session);
		return cli_fail("%s", error.what);
	}
	service = model_service_by_id(&session.session.model, answer.service);
	rule = policy_find(&session.policy, answer.rule);
	if (cli->json)
		output_json(answer_json(&answer, rule, service ? service->name : NULL));
	else
		print_answer(&answer, rule, service ? service->name : NULL);
	policy_session_close(&session);
	return CLI_OK;
}
