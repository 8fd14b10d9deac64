/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon_private.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "../core/plural.h"
#include "child.h"
#include "clock.h"

static void on_report(void *context, enum source source, const struct report *report)
{
	struct daemon *daemon = context;

	if (steer_report(daemon->steer, report) == LATEST_STRANGER)
		intake_stranger(&daemon->intake, source, report->node);
}

static void on_text(void *context, enum source source, const char *text, size_t text_bytes)
{
	struct daemon *daemon = context;

	control_show(daemon->control, source_name(source), text, text_bytes);
}

static void on_watch(void *context, bool watched)
{
	struct daemon *daemon = context;

	daemon->intake.on_text = watched ? on_text : NULL;
}

static json_t *on_status(void *context)
{
	return daemon_json(context);
}

static void on_command(void *context)
{
	struct daemon *daemon = context;

	steer_look(daemon->steer);
}

static void on_model(void *context, const struct model *model)
{
	struct daemon *daemon = context;

	sources_follow(&daemon->sources, model);
}

static void on_lost(void *context)
{
	struct daemon *daemon = context;

	snprintf(daemon->lost, sizeof(daemon->lost), "what was loaded at %s is gone",
		 daemon->request->pin_dir);
	event_base_loopbreak(daemon->base);
}

static void on_second(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	__u64 reports = 0;

	(void)fd;
	(void)what;
	for (enum source source = 0; source < SOURCES; source++)
		reports += daemon->intake.counters[source].reports;
	daemon->reports_at[++daemon->seconds % RATE_SECONDS] = reports;
	sd_notify(0, "WATCHDOG=1");
}

/* As a whole or not at all: sources first, since they can be put back. */
static int take_config(struct daemon *daemon, struct config *config, struct text_error *error)
{
	int err = sources_open(&daemon->sources, &config->daemon.sources,
			       steer_model(daemon->steer), error);

	if (err)
		return err;
	err = steer_reload(daemon->steer, config, error);
	if (err)
		sources_open(&daemon->sources, &daemon->config->daemon.sources,
			     steer_model(daemon->steer), &(struct text_error){});
	return err;
}

static void reload(struct daemon *daemon)
{
	struct config *config = calloc(1, sizeof(*config));
	struct text_error error;
	int err = -ENOMEM;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady_ns() / 1000);
	text_refuse(&error, err, NULL, "out of memory");
	if (config)
		err = daemon->request->read_config(daemon->request->config_path, config, &error);
	if (!err) {
		err = take_config(daemon, config, &error);
		if (err)
			config_free(config);
	}
	if (err) {
		log_say(LOG_ERROR, "reload: %s; what was in force stays", error.what);
		free(config);
	} else {
		log_say(LOG_INFO, "reload: %s is in force, %zu service%s",
			daemon->request->config_path, config->model.service_count,
			plural(config->model.service_count));
		config_free(daemon->config);
		free(daemon->config);
		daemon->config = config;
		daemon->intake.skew_ms = config->daemon.sources.clock_skew_ms;
		daemon->intake.stranger_count = 0; /* they may be others now */
	}
	snprintf(daemon->last_error, sizeof(daemon->last_error), "%s", err ? error.what : "");
	sd_notify(0, "READY=1");
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	struct daemon *daemon = context;

	(void)what;
	switch (number) {
	case SIGHUP:
		reload(daemon);
		break;
	case SIGUSR1:
		daemon_check(daemon);
		break;
	default:
		log_say(LOG_INFO, "stopping; what is loaded goes on forwarding");
		event_base_loopbreak(daemon->base);
	}
}

static int start_signals(struct daemon *daemon)
{
	static const int numbers[DAEMON_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	struct timeval second = {.tv_sec = 1};

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < DAEMON_SIGNALS; i++) {
		daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
		if (!daemon->signals[i] || event_add(daemon->signals[i], NULL))
			return -ENOMEM;
	}
	daemon->second = event_new(daemon->base, -1, EV_PERSIST, on_second, daemon);
	return daemon->second && !event_add(daemon->second, &second) ? 0 : -ENOMEM;
}

/* Of two daemons the second would take the first one's sockets away. */
static int refuse_second(const struct daemon *daemon, struct text_error *error)
{
	int fd = unix_socket_connect(daemon->control_path, SOCK_STREAM);

	if (fd < 0)
		return 0;
	close(fd);
	return text_refuse(error, -EBUSY, NULL, "another daemon serves %s already",
			   daemon->control_path);
}

static int load(const struct daemon *daemon, struct text_error *error)
{
	const char *pin_dir = daemon->request->pin_dir, *path = daemon->request->config_path;
	const char *argv[] = {"sluice", "--direct", "--pin", pin_dir,
			      "load",   "--config", path,    NULL};
	char control[PATH_MAX];
	int status;

	snprintf(control, sizeof(control), "%s/control", pin_dir);
	if (!access(control, F_OK) || !daemon->config->daemon.control.load)
		return 0;
	status = child_run((char *const *)argv);
	return status ? text_refuse(error, -EIO, NULL, "nothing could be loaded at %s", pin_dir)
		      : 0;
}

static void on_attached(void *context)
{
	struct daemon *daemon = context;

	daemon->attachments = NULL;
	event_base_loopbreak(daemon->base);
}

/* The loop has nothing else to do yet. */
static void attach(struct daemon *daemon)
{
	const struct config_control *config = &daemon->config->daemon.control;
	json_t *findings = json_array(), *finding;
	size_t index;

	if (config->device_count)
		daemon->attachments = attachments_ensure(daemon->base, daemon->request->pin_dir,
							 config, findings, on_attached, daemon);
	if (daemon->attachments)
		event_base_dispatch(daemon->base);
	json_array_foreach(findings, index, finding) log_say(
		LOG_INFO, "start: %s: %s", json_string_value(json_object_get(finding, "found")),
		json_string_value(json_object_get(finding, "repair")));
	json_decref(findings);
}

static int start(struct daemon *daemon, struct text_error *error)
{
	const struct steer_events steer_events = {on_model, on_lost, daemon};
	const struct control_events control_events = {on_status, on_command, on_watch, daemon};
	const char *pin_dir = daemon->request->pin_dir;
	int err = refuse_second(daemon, error);

	if (!err)
		err = load(daemon, error);
	if (err)
		return err;
	attach(daemon);
	daemon->steer = steer_open(daemon->base, pin_dir, daemon->config, &steer_events, error);
	if (!daemon->steer)
		return -EIO;
	err = sources_open(&daemon->sources, &daemon->config->daemon.sources,
			   steer_model(daemon->steer), error);
	if (err)
		return err;
	daemon->control =
		control_open(daemon->base, pin_dir, daemon->control_path, &control_events, error);
	if (!daemon->control)
		return -EIO;
	/* From here on the loop is never kept waiting. */
	daemon->lag = lag_new(daemon->base);
	err = daemon->lag ? start_signals(daemon) : -ENOMEM;
	return err ? text_refuse(error, err, NULL, "out of memory") : 0;
}

/* Every check under way is a file; thousands of backends that do not answer are thousands. */
static void raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static int prepare(struct daemon *daemon, struct text_error *error)
{
	const struct daemon_request *request = daemon->request;

	if (unix_socket_path(request->pin_dir, UNIX_CONTROL, daemon->control_path) ||
	    unix_socket_path(request->pin_dir, UNIX_REPORT, daemon->report_path))
		return text_refuse(error, -ENAMETOOLONG, NULL, "the name of %s is too long",
				   request->pin_dir);
	raise_limit();
	daemon->since_ms = clock_wall_ms();
	daemon->base = event_base_new();
	daemon->config = calloc(1, sizeof(*daemon->config));
	if (!daemon->base || !daemon->config)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (request->read_config(request->config_path, daemon->config, error)) {
		free(daemon->config);
		daemon->config = NULL;
		return -EINVAL;
	}
	daemon->intake.skew_ms = daemon->config->daemon.sources.clock_skew_ms;
	daemon->intake.on_report = on_report;
	daemon->intake.context = daemon;
	daemon->sources.base = daemon->base;
	daemon->sources.intake = &daemon->intake;
	daemon->sources.unix_default = daemon->report_path;
	return 0;
}

static void stop(struct daemon *daemon)
{
	sources_close(&daemon->sources);
	control_close(daemon->control);
	attachments_cancel(daemon->attachments);
	steer_close(daemon->steer);
	lag_free(daemon->lag);
	for (int i = 0; i < DAEMON_SIGNALS; i++) {
		if (daemon->signals[i])
			event_free(daemon->signals[i]);
	}
	if (daemon->second)
		event_free(daemon->second);
	if (daemon->base)
		event_base_free(daemon->base);
	if (daemon->config)
		config_free(daemon->config);
	free(daemon->config);
	json_decref(daemon->findings);
	json_decref(daemon->check);
	unix_socket_leave(daemon->control_path);
}

int daemon_run(const struct daemon_request *request, struct text_error *error)
{
	struct daemon daemon = {.request = request};
	int err = prepare(&daemon, error);

	if (!err)
		err = start(&daemon, error);
	if (!err) {
		log_say(LOG_INFO, "ready: %zu service%s, control at %s",
			steer_model(daemon.steer)->service_count,
			plural(steer_model(daemon.steer)->service_count), daemon.control_path);
		sd_notify(0, "READY=1");
		event_base_dispatch(daemon.base);
		sd_notify(0, "STOPPING=1");
		if (*daemon.lost)
			err = text_refuse(error, -ENOENT, NULL, "%s", daemon.lost);
	}
	stop(&daemon);
	return err;
}
