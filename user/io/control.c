/* SPDX-License-Identifier: GPL-2.0-only */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "child.h"
#include "clock.h"
#include "unix_socket.h"

#define WORDS_MAX 4096

/* Who watches and does not read what is shown misses some of it. */
#define WATCH_BYTES_MAX (4 << 20)

struct client {
	struct control *control;
	struct bufferevent *stream;
	struct child *child; /* whose answer is awaited; NULL: none */
	bool watches;
	struct client *next;
};

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	struct control_events events;
	struct client *clients;
	size_t watchers;
	const char *pin_dir;
	char path[UNIX_PATH_BYTES];
};

static void take_requests(struct client *client);

static void client_free(struct client *client)
{
	struct control *control = client->control;
	struct client **at = &control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	if (client->watches && --control->watchers == 0)
		control->events.on_watch(control->events.context, false);
	if (client->child)
		child_cancel(client->child);
	bufferevent_free(client->stream);
	free(client);
}

static void send_line(struct client *client, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (text)
		evbuffer_add_printf(bufferevent_get_output(client->stream), "%s\n", text);
	free(text);
	json_decref(answer);
}

static void refuse(struct client *client, const char *why)
{
	send_line(client, json_pack("{s:s}", "error", why));
}

/* Whatever a command has printed: what is not UTF-8 would be lost as a JSON string. */
static json_t *string_of(const char *bytes, size_t count)
{
	json_t *string = json_stringn(bytes, count);

	return string ? string : json_string("(not UTF-8)\n");
}

static void on_command_end(void *context, const struct child_result *result)
{
	struct client *client = context;
	struct control *control = client->control;

	client->child = NULL;
	control->events.on_command(control->events.context);
	send_line(client, json_pack("{s:i, s:o, s:o}", "status", result->status, "output",
				    string_of(result->output, result->output_bytes), "errors",
				    string_of(result->errors, result->errors_bytes)));
	take_requests(client);
}

/* --direct: or it would come back here. */
static void start_command(struct client *client, const json_t *request, const json_t *words)
{
	const json_t *input = json_object_get(request, "input");
	size_t count = json_array_size(words), i;
	const char *own[] = {"sluice", "--direct", "--pin", client->control->pin_dir};
	const size_t own_count = sizeof(own) / sizeof(own[0]);
	char **argv = calloc(own_count + count + 1, sizeof(*argv));
	struct child_request child = {
		.argv = argv,
		.cwd = json_string_value(json_object_get(request, "cwd")),
		.input = json_string_value(input),
		.input_bytes = json_string_length(input),
		.on_end = on_command_end,
		.context = client,
	};

	for (i = 0; argv && i < own_count; i++)
		argv[i] = (char *)own[i];
	for (i = 0; argv && i < count; i++) {
		argv[own_count + i] = (char *)json_string_value(json_array_get(words, i));
		if (!argv[own_count + i])
			break;
	}
	if (!argv || i < count || !count || count > WORDS_MAX) {
		refuse(client, "argv: expected 1 to 4096 strings");
	} else {
		client->child = child_start(client->control->base, &child);
		if (!client->child)
			refuse(client, strerror(errno));
	}
	free(argv);
}

static void start_watch(struct client *client)
{
	struct control *control = client->control;

	client->watches = true;
	if (control->watchers++ == 0)
		control->events.on_watch(control->events.context, true);
}

static void serve(struct client *client, const char *line, size_t bytes)
{
	struct control *control = client->control;
	json_t *request = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(request, "request"));
	const json_t *words = json_object_get(request, "argv");

	if (json_is_array(words))
		start_command(client, request, words);
	else if (name && !strcmp(name, "status"))
		send_line(client, control->events.on_status(control->events.context));
	else if (name && !strcmp(name, "watch"))
		start_watch(client);
	else
		refuse(client, "expected a line of JSON with argv, or request: status or watch");
	json_decref(request);
}

/* One at a time: the next waits until the one before has its answer. */
static void take_requests(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	size_t bytes;
	char *line;

	while (!client->child && !client->watches) {
		line = evbuffer_readln(input, &bytes, EVBUFFER_EOL_LF);
		if (!line)
			break;
		serve(client, line, bytes);
		free(line);
	}
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct client *client = context;

	(void)stream;
	take_requests(client);
	if (evbuffer_get_length(bufferevent_get_input(client->stream)) > CONTROL_LINE_BYTES_MAX)
		client_free(client);
}

static void on_close(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	(void)what;
	client_free(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int from_bytes, void *context)
{
	struct control *control = context;
	struct client *client = calloc(1, sizeof(*client));

	(void)listener;
	(void)from;
	(void)from_bytes;
	if (client)
		client->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->stream) {
		free(client);
		close(fd);
		return;
	}
	client->control = control;
	client->next = control->clients;
	control->clients = client;
	bufferevent_setcb(client->stream, on_read, NULL, on_close, client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

struct control *control_open(struct event_base *base, const char *pin_dir, const char *path,
			     const struct control_events *events, struct text_error *error)
{
	struct control *control = calloc(1, sizeof(*control));
	int fd;

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!control)
		return NULL;
	control->base = base;
	control->events = *events;
	control->pin_dir = pin_dir;
	fd = unix_socket_bind(path, SOCK_STREAM, error);
	if (fd >= 0) {
		strcpy(control->path, path);
		control->listener =
			evconnlistener_new(base, on_accept, control,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, fd);
		if (control->listener)
			return control;
		close(fd);
	}
	control_close(control);
	return NULL;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	if (control->listener)
		evconnlistener_free(control->listener);
	if (*control->path)
		unlink(control->path);
	free(control);
}

void control_show(struct control *control, const char *source, const char *text, size_t text_bytes)
{
	json_t *report = json_loadb(text, text_bytes, JSON_ALLOW_NUL, NULL);
	json_t *line = json_pack("{s:I, s:s, s:O}", "unix_ms", (json_int_t)clock_wall_ms(),
				 "source", source, "report", report);
	struct client *client;

	for (client = control->clients; client && line; client = client->next) {
		if (client->watches &&
		    evbuffer_get_length(bufferevent_get_output(client->stream)) < WATCH_BYTES_MAX)
			send_line(client, json_incref(line));
	}
	json_decref(line);
	json_decref(report);
}
