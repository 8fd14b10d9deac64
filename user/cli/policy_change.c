/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice policy add | del */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "policy.h"
#include "policy_options.h"

enum {
	OPTION_FEED = POLICY_OPTION_OWN,
	OPTION_SERVICE,
	OPTION_TO,
	OPTION_PORT,
	OPTION_PROTO,
	OPTION_SOURCE_BITS,
	OPTION_BURST,
	OPTION_COMMENT,
	OPTION_RATE, /* and enum rule_rate behind it */
};

static const struct option add_options[] = {
	{"feed", required_argument, NULL, OPTION_FEED},
	{"service", required_argument, NULL, OPTION_SERVICE},
	{"to", required_argument, NULL, OPTION_TO},
	{"port", required_argument, NULL, OPTION_PORT},
	{"proto", required_argument, NULL, OPTION_PROTO},
	{"packets", required_argument, NULL, OPTION_RATE + RATE_PACKETS},
	{"new-flows", required_argument, NULL, OPTION_RATE + RATE_NEW_FLOWS},
	{"source-packets", required_argument, NULL, OPTION_RATE + RATE_SOURCE_PACKETS},
	{"source-new-flows", required_argument, NULL, OPTION_RATE + RATE_SOURCE_NEW_FLOWS},
	{"source-bits", required_argument, NULL, OPTION_SOURCE_BITS},
	{"burst", required_argument, NULL, OPTION_BURST},
	{"comment", required_argument, NULL, OPTION_COMMENT},
	POLICY_OPTIONS,
	{},
};

struct arguments {
	struct rule rule;
	struct prefix source;
	const char *feed_path; /* NULL: none */
	struct policy_change change;
};

/* What fits into a field of a rule; whether the rest is all right, policy_add() says. */
static int take_text(const struct cli *cli, const char *option, char *field, size_t room)
{
	if (strlen(optarg) >= room)
		return cli_usage(cli, "%s is \"%s\", expected %zu bytes at most", option, optarg,
				 room - 1);
	strcpy(field, optarg);
	return CLI_OK;
}

static int take_prefix(const struct cli *cli, const char *what, const char *text,
		       struct prefix *prefix)
{
	char meant[PREFIX_TEXT_BYTES];
	int err = prefix_parse(text, prefix);

	if (err == -EDOM)
		return cli_usage(cli,
				 "%s is \"%s\", which has bits behind its prefix; is %s meant?",
				 what, text, prefix_format(prefix, meant));
	if (err)
		return cli_usage(cli,
				 "%s is \"%s\", expected an address or a prefix, such as "
				 "198.51.100.0/24",
				 what, text);
	return CLI_OK;
}

static int take_source_bits(const struct cli *cli, struct rule *rule)
{
	unsigned int ipv4, ipv6;
	char rest;

	if (sscanf(optarg, "%3u/%3u%c", &ipv4, &ipv6, &rest) != 2 || !ipv4 || ipv4 > 32 || !ipv6 ||
	    ipv6 > 64)
		return cli_usage(cli,
				 "--source-bits is \"%s\", expected bits of IPv4 and of IPv6 "
				 "sources, 1 to 32 and 1 to 64, such as 32/64",
				 optarg);
	rule->source_bits[FAMILY_IPV4] = ipv4;
	rule->source_bits[FAMILY_IPV6] = ipv6;
	return CLI_OK;
}

static int take_rate(const struct cli *cli, struct rule *rule, enum rule_rate rate)
{
	const struct option *option = add_options;
	char name[32];
	uint64_t number;

	while (option->val != (int)(OPTION_RATE + rate))
		option++;
	snprintf(name, sizeof(name), "--%s", option->name);
	if (cli_number(cli, name, optarg, 1, RULE_RATE_MAX, &number))
		return CLI_USAGE;
	rule->per_second[rate] = number;
	return CLI_OK;
}

/* Where the rule applies. */
static int take_scope(const struct cli *cli, int option, struct rule *rule)
{
	uint64_t number;

	switch (option) {
	case OPTION_SERVICE:
		return take_text(cli, "--service", rule->service, sizeof(rule->service));
	case OPTION_TO:
		rule->has_destination = true;
		return take_prefix(cli, "--to", optarg, &rule->destination);
	case OPTION_PORT:
		if (cli_number(cli, "--port", optarg, 1, 65535, &number))
			return CLI_USAGE;
		rule->port = number;
		return CLI_OK;
	case OPTION_PROTO:
		if (protocol_parse(optarg, &rule->protocol))
			return cli_usage(cli, "--proto is \"%s\", expected tcp or udp", optarg);
		return CLI_OK;
	default:
		return CLI_USAGE;
	}
}

static int take_option(const struct cli *cli, int option, struct arguments *arguments)
{
	struct rule *rule = &arguments->rule;
	uint64_t number;

	if (option >= OPTION_RATE && option < OPTION_RATE + RULE_RATES)
		return take_rate(cli, rule, option - OPTION_RATE);
	switch (option) {
	case OPTION_FEED:
		arguments->feed_path = optarg;
		return CLI_OK;
	case OPTION_SOURCE_BITS:
		return take_source_bits(cli, rule);
	case OPTION_BURST:
		if (cli_number(cli, "--burst", optarg, 1, RULE_BURST_MS_MAX, &number))
			return CLI_USAGE;
		rule->burst_ms = number;
		return CLI_OK;
	case OPTION_COMMENT:
		return take_text(cli, "--comment", rule->comment, sizeof(rule->comment));
	case OPTION_SERVICE:
	case OPTION_TO:
	case OPTION_PORT:
	case OPTION_PROTO:
		return take_scope(cli, option, rule);
	default:
		return policy_change_option(cli, option, &arguments->change);
	}
}

static int take_words(const struct cli *cli, int argc, char **argv, struct arguments *arguments)
{
	struct rule *rule = &arguments->rule;
	int wanted = arguments->feed_path ? 1 : 2;

	if (argc - optind != wanted)
		return cli_usage(cli, "expected allow, deny or limit, and %s",
				 wanted == 1 ? "no source besides --feed"
					     : "a SOURCE, or any, or --feed FILE");
	if (rule_action_parse(argv[optind], &rule->action))
		return cli_usage(cli, "got \"%s\", expected allow, deny or limit", argv[optind]);
	if (wanted == 1 || !strcmp(argv[optind + 1], "any"))
		return CLI_OK;
	rule->prefixes = &arguments->source;
	rule->prefix_count = 1;
	return take_prefix(cli, "SOURCE", argv[optind + 1], &arguments->source);
}

static int take_arguments(const struct cli *cli, int argc, char **argv, struct arguments *arguments)
{
	int option, status = CLI_OK;

	while (!status && (option = cli_option(cli, argc, argv, add_options)) != -1)
		status = take_option(cli, option, arguments);
	return status ? status : take_words(cli, argc, argv, arguments);
}

static int add(const struct cli *cli, const struct arguments *arguments)
{
	struct policy_session session;
	struct policy next = {};
	struct text_error error;
	int status;

	if (policy_session_open(cli, true, &session))
		return CLI_FAILED;
	status = policy_session_copy(&session, &next);
	if (!status && policy_add(&next, &arguments->rule, &error))
		status = cli_fail("%s", error.what);
	if (!status)
		status = policy_session_publish(&session, &next, &arguments->change);
	if (!status) {
		__u16 id = next.rules[next.rule_count - 1].id;

		if (cli->json)
			output_json(json_pack("{s:i}", "id", id));
		else
			printf("rule %u\n", id);
	}
	policy_free(&next);
	policy_session_close(&session);
	return status;
}

int policy_add_rule(struct cli *cli, int argc, char **argv)
{
	struct arguments arguments = {};
	struct prefix *prefixes = NULL;
	int status = take_arguments(cli, argc, argv, &arguments);

	if (!status && arguments.feed_path) {
		status = policy_feed_name(cli, arguments.feed_path, arguments.rule.feed);
		if (!status)
			status = policy_feed_read(arguments.feed_path, &prefixes,
						  &arguments.rule.prefix_count);
		arguments.rule.prefixes = prefixes;
	}
	if (!status)
		status = add(cli, &arguments);
	free(prefixes);
	return status;
}

int policy_del_rules(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {POLICY_OPTIONS, {}};
	struct policy_change change = {};
	struct policy_session session;
	struct policy next = {};
	struct text_error error;
	uint64_t id;
	int status = CLI_OK, option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (policy_change_option(cli, option, &change))
			return CLI_USAGE;
	}
	if (optind == argc)
		return cli_usage(cli,
				 "expected the number of a RULE; `sluice policy list` shows them");
	for (int i = optind; i < argc; i++) {
		if (cli_number(cli, "RULE", argv[i], 1, RULES_MAX - 1, &id))
			return CLI_USAGE;
	}
	if (policy_session_open(cli, true, &session))
		return CLI_FAILED;
	status = policy_session_copy(&session, &next);
	for (int i = optind; i < argc && !status; i++) {
		if (policy_del(&next, strtoul(argv[i], NULL, 10), &error))
			status = cli_fail("%s", error.what);
	}
	if (!status)
		status = policy_session_publish(&session, &next, &change);
	policy_free(&next);
	policy_session_close(&session);
	return status;
}
