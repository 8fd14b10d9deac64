/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice report send | watch */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "../core/envelope.h"
#include "../core/report.h"
#include "../io/endpoint.h"
#include "../io/key_file.h"
#include "../io/unix_socket.h"
#include "cli.h"
#include "remote.h"

#define SKEW_MS 5000

/* Of a datagram that holds more than one report: it fits a link without fragments. */
#define TEXT_BYTES_USUAL 1300

enum { OPTION_TO = 1, OPTION_KEY, OPTION_UNIX };

struct sending {
	int fd;
	struct envelope_key *key; /* NULL: no envelope */
	__u64 sender;
	__u64 sequence;
	char datagram[ENVELOPE_BYTES_MAX];
};

static int send_text(struct sending *sending, const char *text, size_t bytes)
{
	const struct envelope envelope = {
		.sender = sending->sender,
		.sequence = ++sending->sequence,
		.sent_ms = cli_wall_ms(),
		.text = text,
		.text_bytes = bytes,
	};
	int sealed;

	if (!sending->key)
		return send(sending->fd, text, bytes, 0) < 0 ? -errno : 0;
	sealed = envelope_seal(sending->key, &envelope, sending->datagram);
	if (sealed < 0)
		return sealed;
	return send(sending->fd, sending->datagram, sealed, 0) < 0 ? -errno : 0;
}

/* Send @reports, and empty the array. */
static int send_some(struct sending *sending, json_t *reports)
{
	char *text = json_dumps(reports, JSON_COMPACT);
	int err = text ? send_text(sending, text, strlen(text)) : -ENOMEM;

	free(text);
	json_array_clear(reports);
	return err;
}

static int send_all(struct sending *sending, const json_t *root)
{
	json_t *some = json_array(), *report;
	size_t bytes = 0, more, index;
	int err = 0;

	if (!json_is_array(root)) {
		json_array_append(some, (json_t *)root);
		err = send_some(sending, some);
		goto out;
	}
	json_array_foreach(root, index, report)
	{
		more = json_dumpb(report, NULL, 0, JSON_COMPACT) + 1;
		if (json_array_size(some) && bytes + more > TEXT_BYTES_USUAL) {
			err = send_some(sending, some);
			bytes = 0;
		}
		if (err)
			goto out;
		json_array_append(some, report);
		bytes += more;
	}
	if (json_array_size(some))
		err = send_some(sending, some);
out:
	json_decref(some);
	return err;
}

struct send_arguments {
	const char *to;
	const char *key_path;
	const char *unix_path;
	const char *path;
};

static int send_options(const struct cli *cli, int argc, char **argv,
			struct send_arguments *arguments)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, OPTION_TO},
		{"key", required_argument, NULL, OPTION_KEY},
		{"unix", required_argument, NULL, OPTION_UNIX},
		{},
	};
	int option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		switch (option) {
		case OPTION_TO:
			arguments->to = optarg;
			break;
		case OPTION_KEY:
			arguments->key_path = optarg;
			break;
		case OPTION_UNIX:
			arguments->unix_path = optarg;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one FILE, or - for standard input");
	if (!arguments->to != !arguments->key_path || (arguments->to && arguments->unix_path))
		return cli_usage(cli, "expected --to with --key, or --unix, or neither");
	arguments->path = argv[optind];
	return CLI_OK;
}

static int open_udp(const struct cli *cli, const struct send_arguments *arguments,
		    struct sending *sending)
{
	struct sockaddr_storage to;
	struct text_error error;
	struct address address;
	socklen_t bytes;
	__u16 port;

	if (address_parse_port(arguments->to, &address, &port) || !port)
		return cli_usage(cli, "--to is \"%s\", expected ADDRESS:PORT", arguments->to);
	sending->key = key_file_read(arguments->key_path, &error);
	if (!sending->key)
		return cli_fail("%s", error.what);
	if (getrandom(&sending->sender, sizeof(sending->sender), 0) != sizeof(sending->sender))
		return cli_fail("the kernel gave no random bytes: %s", strerror(errno));
	bytes = endpoint_to_socket(&address, port, &to);
	sending->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sending->fd < 0 || connect(sending->fd, (struct sockaddr *)&to, bytes))
		return cli_fail("cannot send to %s: %s", arguments->to, strerror(errno));
	return CLI_OK;
}

static int open_unix(const struct cli *cli, const char *path, struct sending *sending)
{
	char usual[UNIX_PATH_BYTES];

	if (!path && unix_socket_path(cli->pin_dir, UNIX_REPORT, usual))
		return cli_fail("the name of %s is too long", cli->pin_dir);
	sending->fd = unix_socket_connect(path ? path : usual, SOCK_DGRAM);
	if (sending->fd < 0)
		return cli_fail("cannot send to %s: %s; is the daemon running?",
				path ? path : usual, strerror(-sending->fd));
	return CLI_OK;
}

/* What is sent gets no answer, so it is checked here. */
static json_t *read_reports(const char *path)
{
	struct report *reports;
	struct text_error error;
	size_t bytes, count;
	char *text = cli_read_file(path, &bytes);
	json_t *root = NULL;

	if (!text)
		return NULL;
	if (!report_parse(text, bytes, cli_wall_ms(), SKEW_MS, &reports, &count, &error)) {
		root = json_loadb(text, bytes, 0, NULL);
		free(reports);
	} else if (error.line) {
		cli_fail("%s:%d: %s", path, error.line, error.what);
	} else {
		cli_fail("%s: %s", path, error.what);
	}
	free(text);
	return root;
}

static int report_send(struct cli *cli, int argc, char **argv)
{
	struct send_arguments arguments = {};
	struct sending *sending = NULL;
	json_t *root = NULL;
	int status = send_options(cli, argc, argv, &arguments);
	int err;

	if (status)
		return status;
	root = read_reports(arguments.path);
	sending = calloc(1, sizeof(*sending));
	if (!root || !sending) {
		status = CLI_FAILED;
		goto out;
	}
	sending->fd = -1;
	status = arguments.to ? open_udp(cli, &arguments, sending)
			      : open_unix(cli, arguments.unix_path, sending);
	if (status)
		goto out;
	err = send_all(sending, root);
	if (err)
		status = cli_fail("cannot send: %s", strerror(-err));
out:
	if (sending) {
		envelope_key_free(sending->key);
		if (sending->fd >= 0)
			close(sending->fd);
	}
	free(sending);
	json_decref(root);
	return status;
}

static void print_report(const char *when, const char *source, json_t *report)
{
	const char *key;
	json_t *value;

	printf("%s %-4s %s", when, source, json_string_value(json_object_get(report, "node_id")));
	json_object_foreach(report, key, value)
	{
		if (json_is_number(value))
			printf("  %s %g", key, json_number_value(value));
		else if (json_is_string(value) && strcmp(key, "node_id"))
			printf("  %s %s", key, json_string_value(value));
	}
	putchar('\n');
}

static bool show(const struct cli *cli, const json_t *line)
{
	const json_t *reports = json_object_get(line, "report");
	const char *source = json_string_value(json_object_get(line, "source"));
	json_int_t unix_ms = json_integer_value(json_object_get(line, "unix_ms"));
	time_t seconds = unix_ms / 1000;
	char when[32], clock[16];
	json_t *report;
	size_t index;

	if (cli->json) {
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		strftime(clock, sizeof(clock), "%T", localtime(&seconds));
		snprintf(when, sizeof(when), "%s.%03d", clock, (int)(unix_ms % 1000));
		if (json_is_object(reports))
			print_report(when, source, (json_t *)reports);
		json_array_foreach(reports, index, report) print_report(when, source, report);
	}
	return fflush(stdout) == 0;
}

static int report_watch(struct cli *cli, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind watch");
	return remote_watch(cli, show);
}

const struct command report_commands[] = {
	{"report", "send", "FILE|- [--to ADDR:PORT --key FILE | --unix PATH]",
	 "send reports to a daemon; by default to this machine's", report_send},
	{"report", "watch", "", "show the reports that the daemon gets, as they come",
	 report_watch},
	{},
};
