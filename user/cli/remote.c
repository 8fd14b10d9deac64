/* SPDX-License-Identifier: GPL-2.0-only */
#include "remote.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../io/unix_socket.h"

bool remote_does(const struct command *command)
{
	static const struct {
		const char *noun;
		const char *verb;
	} changes[] = {
		{"service", "add"},     {"service", "set"}, {"service", "del"},
		{"backend", "add"},     {"backend", "set"}, {"backend", "del"},
		{"backend", "resolve"}, {"weight", "set"},  {"weight", "apply"},
		{"policy", "add"},      {"policy", "del"},  {"policy", "replace"},
	};

	for (size_t i = 0; command->verb && i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (!strcmp(command->noun, changes[i].noun) &&
		    !strcmp(command->verb, changes[i].verb))
			return true;
	}
	return false;
}

/* NULL: no daemon runs. */
static FILE *open_stream(const struct cli *cli)
{
	char path[UNIX_PATH_BYTES];
	FILE *stream;
	int fd;

	if (unix_socket_path(cli->pin_dir, UNIX_CONTROL, path))
		return NULL;
	fd = unix_socket_connect(path, SOCK_STREAM);
	if (fd < 0)
		return NULL;
	stream = fdopen(fd, "r+");
	if (!stream)
		close(fd);
	return stream;
}

/* Releases @request. */
static bool send_line(FILE *stream, json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	/* Not through the stream, which cannot turn from writing to reading without a seek. */
	bool sent = text && dprintf(fileno(stream), "%s\n", text) > 0;

	free(text);
	json_decref(request);
	return sent;
}

static json_t *read_line(FILE *stream)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes = getline(&line, &room, stream);
	json_t *answer = bytes > 0 ? json_loadb(line, bytes, JSON_ALLOW_NUL, NULL) : NULL;

	free(line);
	return answer;
}

/* Sends @request, which it releases, and closes @stream. NULL: no answer came. */
static json_t *ask(FILE *stream, json_t *request)
{
	json_t *answer = send_line(stream, request) ? read_line(stream) : NULL;

	fclose(stream);
	return answer;
}

json_t *remote_status(const struct cli *cli)
{
	FILE *stream = open_stream(cli);

	return stream ? ask(stream, json_pack("{s:s}", "request", "status")) : NULL;
}

/* The daemon's own SSH_CONNECTION, if any, is not the caller's; policy.c has the option. */
static void add_operator(json_t *words, const char *noun)
{
	const char *connection = getenv("SSH_CONNECTION");

	if (strcmp(noun, "policy"))
		return;
	json_array_append_new(words, json_string("--operator"));
	json_array_append_new(words, json_string(connection ? connection : ""));
}

/* The words, where they were said, and what was said on standard input if they mention it. */
static json_t *command_request(const struct cli *cli, int argc, char **argv)
{
	json_t *request = json_object(), *words = json_array();
	char cwd[PATH_MAX];
	size_t bytes;
	char *input;

	if (cli->json)
		json_array_append_new(words, json_string("--json"));
	for (int i = 0; i < argc; i++) {
		json_array_append_new(words, json_string(argv[i]));
		if (strcmp(argv[i], "-") || json_object_get(request, "input"))
			continue;
		input = cli_read_file("-", &bytes);
		if (input)
			json_object_set_new(request, "input", json_stringn(input, bytes));
		free(input);
	}
	add_operator(words, argv[0]);
	json_object_set_new(request, "argv", words);
	if (getcwd(cwd, sizeof(cwd)))
		json_object_set_new(request, "cwd", json_string(cwd));
	return request;
}

static void print(FILE *to, const json_t *answer, const char *key)
{
	const json_t *text = json_object_get(answer, key);

	fwrite(json_string_value(text), 1, json_string_length(text), to);
}

bool remote_command(const struct cli *cli, int argc, char **argv, int *status)
{
	FILE *stream = open_stream(cli);
	const char *error;
	json_t *answer;

	if (!stream)
		return false;
	answer = ask(stream, command_request(cli, argc, argv));
	error = json_string_value(json_object_get(answer, "error"));
	if (!answer) {
		*status = cli_fail("the daemon went away before it answered; whether the command "
				   "was done, `sluice status` and the lists show");
	} else if (error) {
		*status = cli_fail("the daemon refused: %s", error);
	} else {
		print(stdout, answer, "output");
		print(stderr, answer, "errors");
		*status = json_integer_value(json_object_get(answer, "status"));
	}
	json_decref(answer);
	return true;
}

int remote_watch(const struct cli *cli, bool (*show)(const struct cli *cli, const json_t *line))
{
	FILE *stream = open_stream(cli);
	bool more = true;
	json_t *line;

	if (!stream)
		return cli_fail("no daemon runs for %s; `sluice run` comes first", cli->pin_dir);
	if (send_line(stream, json_pack("{s:s}", "request", "watch"))) {
		while (more && (line = read_line(stream))) {
			more = show(cli, line);
			json_decref(line);
		}
	}
	fclose(stream);
	return more ? cli_fail("the daemon went away") : CLI_OK;
}
