/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice policy watch */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <jansson.h>

#include "../../maps/event.h"
#include "../core/frame.h"
#include "../core/verdict.h"
#include "../io/drop_file.h"
#include "../io/watch_lock.h"
#include "../kernel/counters.h"
#include "policy.h"
#include "session.h"

#define POLL_MS 200

enum { OPTION_PCAP = 1, OPTION_COUNT };

struct watch {
	const struct cli *cli;
	struct maps maps;
	struct drop_file *file; /* NULL: none */
	bool quiet;             /* standard output is the file's */
	uint64_t count;         /* to be shown; 0: no end */
	uint64_t shown;
	uint64_t skipped;
	uint64_t skipped_before; /* of those that events will still tell of, before this began */
	uint64_t start_ns;
	int64_t wall_ns; /* of the monotonic clock's 0 */
};

/* A signal's handler has nothing else to talk to. */
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static const char *clock_text(int64_t wall_ns, char text[32])
{
	time_t seconds = wall_ns / 1000000000;
	char clock[16];

	strftime(clock, sizeof(clock), "%T", localtime(&seconds));
	snprintf(text, 32, "%s.%06d", clock, (int)(wall_ns % 1000000000 / 1000));
	return text;
}

/* The rules may have been replaced since; then the comment is another rule's or none. */
static const struct policy_rule_info *info_of(const struct watch *watch, __u16 rule)
{
	size_t half = maps_policy_generation(&watch->maps) & 1;

	return &watch->maps.policy_rule_info[half * RULES_MAX + rule % RULES_MAX];
}

static const char *service_of(const struct watch *watch, __u16 id)
{
	return id && id < SERVICES_MAX
		       ? watch->maps.service_info[id].half[maps_live_half(&watch->maps)].name
		       : "";
}

static void print_text(const struct watch *watch, const struct drop_event *event,
		       const struct frame_flow *flow, uint64_t skipped)
{
	char when[32], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES], number[8];
	const char *protocol = flow ? frame_protocol_name(flow->protocol) : NULL;
	const char *service = service_of(watch, event->service);

	snprintf(number, sizeof(number), "%u", flow ? flow->protocol : 0);
	if (skipped)
		printf("(%llu more were not shown)\n", (unsigned long long)skipped);
	printf("%s  ", clock_text(watch->wall_ns + event->time_ns, when));
	if (flow)
		printf("%s -> %s %s", address_format_port(&flow->source, flow->source_port, from),
		       address_format_port(&flow->destination, flow->destination_port, to),
		       protocol ? protocol : number);
	else
		printf("not IP");
	printf("  %s%s%s", *service ? service : "", *service ? ": " : "",
	       drop_reason_sentence(event->reason));
	if (event->rule)
		printf("  rule %u%s%s", event->rule,
		       *info_of(watch, event->rule)->comment ? ": " : "",
		       info_of(watch, event->rule)->comment);
	putchar('\n');
}

static void print_json(const struct watch *watch, const struct drop_event *event,
		       const struct frame_flow *flow, uint64_t skipped)
{
	char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
	const char *protocol = flow ? frame_protocol_name(flow->protocol) : NULL;
	json_t *line = json_pack("{s:I, s:s, s:s, s:i, s:I, s:I, s:i}", "unix_ns",
				 (json_int_t)(watch->wall_ns + event->time_ns), "reason",
				 drop_reason_name(event->reason), "service",
				 service_of(watch, event->service), "cpu", event->cpu, "ifindex",
				 (json_int_t)event->ifindex, "bytes",
				 (json_int_t)event->frame_bytes, "rule", event->rule);

	json_object_set_new(line, "comment",
			    json_string(event->rule ? info_of(watch, event->rule)->comment : ""));
	json_object_set_new(line, "skipped", json_integer(skipped));
	if (flow) {
		json_object_set_new(line, "source",
				    json_string(address_format(&flow->source, from)));
		json_object_set_new(line, "source_port", json_integer(flow->source_port));
		json_object_set_new(line, "destination",
				    json_string(address_format(&flow->destination, to)));
		json_object_set_new(line, "destination_port", json_integer(flow->destination_port));
		json_object_set_new(line, "protocol", json_integer(flow->protocol));
		json_object_set_new(line, "proto", protocol ? json_string(protocol) : json_null());
	}
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

/* Drops that no event was made of, since this began: what @count says may have begun sooner. */
static uint64_t count_skipped(struct watch *watch, uint64_t count)
{
	uint64_t before = count < watch->skipped_before ? count : watch->skipped_before;

	watch->skipped_before -= before;
	watch->skipped += count - before;
	return count - before;
}

/* Negative ends the poll. */
static int on_event(void *context, void *data, size_t bytes)
{
	struct watch *watch = context;
	const struct drop_event *event = data;
	struct frame_flow flow;
	uint64_t skipped;
	bool is_ip;

	if (bytes < sizeof(*event) || event->reason >= DROP_REASONS ||
	    event->captured_bytes > sizeof(event->frame) || event->time_ns < watch->start_ns)
		return 0;
	skipped = count_skipped(watch, event->skipped);
	is_ip = frame_read(event->frame, event->captured_bytes, &flow);
	if (watch->file && drop_file_add(watch->file, event, watch->wall_ns + event->time_ns))
		return -EIO;
	if (watch->cli->json && !watch->quiet)
		print_json(watch, event, is_ip ? &flow : NULL, skipped);
	else if (!watch->quiet)
		print_text(watch, event, is_ip ? &flow : NULL, skipped);
	fflush(stdout);
	return ++watch->shown == watch->count ? -ECANCELED : 0;
}

static int watch_all(struct watch *watch)
{
	struct ring_buffer *ring =
		ring_buffer__new(watch->maps.drop_events_fd, on_event, watch, NULL);
	__u64 skipped_since;
	int got = ring ? 0 : -errno;

	if (!ring)
		return cli_fail("cannot read the events: %s", strerror(-got));
	while (!stopped && (got >= 0 || got == -EINTR)) {
		got = ring_buffer__poll(ring, POLL_MS);
		if (!got && !session_is_loaded(watch->cli)) {
			got = -ENOENT;
			break;
		}
	}
	ring_buffer__free(ring);
	counters_skipped_events(&watch->maps, &skipped_since);
	count_skipped(watch, skipped_since);
	fprintf(stderr, "%llu drops shown, %llu more not\n", (unsigned long long)watch->shown,
		(unsigned long long)watch->skipped);
	if (got == -EIO)
		return cli_fail("cannot write the file: %s", strerror(errno));
	if (got == -ENOENT)
		return cli_fail("what was loaded at %s is gone", watch->cli->pin_dir);
	return CLI_OK;
}

static int watch_options(const struct cli *cli, int argc, char **argv, struct watch *watch,
			 const char **pcap_path)
{
	static const struct option options[] = {
		{"pcap", required_argument, NULL, OPTION_PCAP},
		{"count", required_argument, NULL, OPTION_COUNT},
		{},
	};
	int option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option == OPTION_PCAP)
			*pcap_path = optarg;
		else if (option != OPTION_COUNT ||
			 cli_number(cli, "--count", optarg, 1, UINT32_MAX, &watch->count))
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_usage(cli, "unexpected \"%s\"", argv[optind]);
	return CLI_OK;
}

int policy_watch(struct cli *cli, int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct watch watch = {
		.cli = cli,
		.start_ns = cli_monotonic_ns(),
		.wall_ns = cli_wall_ms() * 1000000 - (int64_t)cli_monotonic_ns(),
	};
	const char *pcap_path = NULL;
	struct watch_lock lock;
	struct text_error error;
	__u64 skipped;
	int status = watch_options(cli, argc, argv, &watch, &pcap_path);

	if (status)
		return status;
	if (maps_open(cli->pin_dir, false, &watch.maps, &error))
		return cli_fail("%s", error.what);
	maps_lock(&watch.maps, MAPS_UNLOCKED);
	counters_skipped_events(&watch.maps, &skipped);
	watch.skipped_before = skipped;
	if (watch_lock_take(cli->pin_dir, &lock, &error)) {
		maps_close(&watch.maps);
		return cli_fail("%s", error.what);
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	watch.quiet = pcap_path && !strcmp(pcap_path, "-");
	watch.file = pcap_path ? drop_file_open(pcap_path, &error) : NULL;
	if (pcap_path && !watch.file)
		status = cli_fail("%s", error.what);
	else
		status = watch_all(&watch);
	if (drop_file_close(watch.file) && !status)
		status = cli_fail("cannot write %s: %s", pcap_path, strerror(errno));
	watch_lock_leave(&lock);
	maps_close(&watch.maps);
	return status;
}
