/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure DEVICE HOOK VIP[:PORT]...: measure what the TCP services there send through DEVICE, all
 * under one index; HOOK is any, tcx or clsact. Says "ready HOOK"; then on each SIGUSR1 what was
 * counted so far, a name and a number a line, "end" last. Detaches on SIGTERM.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/kernel/measure.h"

enum { SERVICES_MAX_HERE = 8, FLOWS = 4096 };

static struct measure *measure;

static int fail(const struct text_error *error)
{
	fprintf(stderr, "measure: %s\n", error->what);
	measure_close(measure);
	return 1;
}

static enum measure_hook hook_named(const char *name)
{
	if (!strcmp(name, "tcx"))
		return MEASURE_HOOK_TCX;
	return strcmp(name, "clsact") ? MEASURE_HOOK_ANY : MEASURE_HOOK_CLSACT;
}

static void print_times(const char *name, const struct measure_times *times)
{
	printf("%s_count %llu\n", name, (unsigned long long)times->count);
	printf("%s_mean_us %.0f\n", name, times->mean_us);
	printf("%s_p50_us %.0f\n", name, times->p50_us);
	printf("%s_p99_us %.0f\n", name, times->p99_us);
}

static int print_counters(const char *device)
{
	static const struct measure_counters none;
	struct measure_counters sum;
	struct measure_window window;
	int err = measure_read(measure, 0, &sum);

	if (err)
		return err;
	measure_window(&none, &sum, 1000000000, &window);
	printf("segments %llu\n", (unsigned long long)sum.segments);
	printf("bytes %llu\n", (unsigned long long)sum.bytes);
	printf("data_segments %llu\n", (unsigned long long)sum.data_segments);
	printf("again_segments %llu\n", (unsigned long long)sum.retransmitted_segments);
	printf("again_bytes %llu\n", (unsigned long long)sum.retransmitted_bytes);
	printf("syn_again_sent %llu\n", (unsigned long long)sum.syn_retransmits_sent);
	printf("syn_again_received %llu\n", (unsigned long long)sum.syn_retransmits_received);
	printf("resets_sent %llu\n", (unsigned long long)sum.resets_sent);
	printf("resets_received %llu\n", (unsigned long long)sum.resets_received);
	print_times("rtt", &window.rtt);
	print_times("response", &window.response);
	printf("in_place %d\n", !measure_check(measure, device));
	puts("end");
	return fflush(stdout);
}

int main(int argc, char **argv)
{
	struct measure_service services[SERVICES_MAX_HERE] = {};
	struct text_error error;
	sigset_t signals;
	int count, signal;

	if (argc < 4 || argc - 3 > SERVICES_MAX_HERE)
		return 2;
	for (count = 0; count < argc - 3; count++) {
		services[count].protocol = IPPROTO_TCP;
		if (address_parse_port(argv[count + 3], &services[count].vip,
				       &services[count].port))
			return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (measure_open(FLOWS, &measure, &error) ||
	    measure_set_services(measure, services, count, &error) ||
	    measure_attach(measure, argv[1], hook_named(argv[2]), &error))
		return fail(&error);
	printf("ready %s\n", measure_attached_by(measure, argv[1]));
	fflush(stdout);
	while (!sigwait(&signals, &signal) && signal == SIGUSR1 && !print_counters(argv[1]))
		;
	measure_close(measure);
	return 0;
}
