/* SPDX-License-Identifier: GPL-2.0-only */
#include "node_load.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_number.h"

#define KIB 1024.0

/* Behind @name at the start of a line; NULL: there is no such line. */
static const char *find_line(const char *text, const char *name)
{
	size_t bytes = strlen(name);

	while (text) {
		if (!strncmp(text, name, bytes))
			return text + bytes;
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return NULL;
}

/* The number at the start of *@at, and *@at behind it. Not of the next line. */
static bool take_number(const char **at, double *number)
{
	char *end;

	while (**at == ' ' || **at == '\t')
		(*at)++;
	if (!isdigit((unsigned char)**at))
		return false;
	*number = strtod(*at, &end);
	*at = end;
	return isfinite(*number);
}

static struct node_number number_at(const char *at)
{
	struct node_number number = {0};

	number.known = at && take_number(&at, &number.value);
	return number;
}

static struct node_number scaled(struct node_number number, double scale)
{
	number.value *= scale;
	return number;
}

/* "cpu  10 20 ...": older kernels have fewer columns. */
static void parse_stat(const char *text, struct node_reading *reading)
{
	const char *at = find_line(text, "cpu ");
	char *end;

	while (at && reading->cpu_times < NODE_CPU_TIMES) {
		while (*at == ' ')
			at++;
		if (!isdigit((unsigned char)*at))
			break;
		reading->cpu_time[reading->cpu_times++] = strtoull(at, &end, 10);
		at = end;
	}
	for (at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		reading->cpus += !strncmp(at, "cpu", 3) && isdigit((unsigned char)at[3]);
	}
}

static void parse_meminfo(const char *text, struct node_reading *reading)
{
	struct node_number free_now = number_at(find_line(text, "MemFree:"));
	struct node_number buffers = number_at(find_line(text, "Buffers:"));
	struct node_number cached = number_at(find_line(text, "Cached:"));

	reading->memory_total = scaled(number_at(find_line(text, "MemTotal:")), KIB);
	reading->memory_available = scaled(number_at(find_line(text, "MemAvailable:")), KIB);
	if (reading->memory_available.known || !free_now.known)
		return;
	reading->memory_available.known = true;
	reading->memory_available.value = (free_now.value + buffers.value + cached.value) * KIB;
}

/*
 * "Tcp: RtoMin CurrEstab\nTcp: 200 7": a line of names and one of numbers, by the same @prefix.
 * Numbers may be negative (MaxConn is -1).
 */
static struct node_number find_column(const char *text, const char *prefix, const char *name)
{
	const char *names = find_line(text, prefix);
	const char *numbers = names ? strchr(names, '\n') : NULL;
	size_t name_bytes = strlen(name), bytes, column = 0;

	if (!numbers || strncmp(numbers + 1, prefix, strlen(prefix)))
		return (struct node_number){0};
	numbers += 1 + strlen(prefix);
	for (;; column++) {
		names += strspn(names, " ");
		bytes = strcspn(names, " \n");
		if (!bytes)
			return (struct node_number){0};
		if (bytes == name_bytes && !strncmp(names, name, bytes))
			break;
		names += bytes;
	}
	while (column--) {
		numbers += strspn(numbers, " ");
		numbers += strcspn(numbers, " \n");
	}
	return number_at(numbers);
}

static void parse_tcp(const struct node_texts *texts, struct node_reading *reading)
{
	reading->tcp_connections = find_column(texts->snmp, "Tcp:", "CurrEstab");
	reading->tcp_retransmitted = find_column(texts->snmp, "Tcp:", "RetransSegs");
	/* OutSegs has acknowledgements too, which nobody sends again. */
	reading->tcp_sent = find_column(texts->netstat, "TcpExt:", "TCPOrigDataSent");
	if (!reading->tcp_sent.known)
		reading->tcp_sent = find_column(texts->snmp, "Tcp:", "OutSegs");
}

/* "QUOTA PERIOD", or "max PERIOD" where there is no limit. */
static void parse_limits(const struct node_texts *texts, struct node_reading *reading)
{
	struct node_number inactive = number_at(find_line(texts->memory_stat, "inactive_file "));
	const char *at = texts->cpu_max;
	double quota_us, period_us;

	if (at && take_number(&at, &quota_us) && take_number(&at, &period_us) && period_us > 0)
		reading->limit_cpus = (struct node_number){true, quota_us / period_us};
	reading->limit_cpu_us = number_at(find_line(texts->cpu_stat, "usage_usec "));
	reading->limit_memory_bytes = number_at(texts->memory_max);
	reading->limit_memory_used_bytes = number_at(texts->memory_current);
	/* Pages of files that nobody has used lately go as soon as memory is wanted. */
	reading->limit_memory_used_bytes.value -= inactive.value;
}

void node_reading_parse(const struct node_texts *texts, int64_t steady_ns,
			struct node_reading *reading)
{
	*reading = (struct node_reading){.steady_ns = steady_ns};
	parse_stat(texts->stat, reading);
	parse_meminfo(texts->meminfo, reading);
	reading->load_1min = number_at(texts->loadavg);
	parse_tcp(texts, reading);
	parse_limits(texts, reading);
}

/* NaN where there is nothing to say, which report_measured() leaves out. */
static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : NAN;
}

static double grown(struct node_number before, struct node_number after)
{
	return before.known && after.known && after.value >= before.value
		       ? after.value - before.value
		       : NAN;
}

/* The kernel's own sum of idle time is known to go back a little: that is none. */
static double cpu_grown(const struct node_reading *before, const struct node_reading *after,
			enum node_cpu_time which)
{
	__u64 was = before->cpu_time[which], is = after->cpu_time[which];

	return is > was ? is - was : 0;
}

static double machine_cpu_percent(const struct node_reading *before,
				  const struct node_reading *after)
{
	double idle, all = 0;

	if (before->cpu_times <= NODE_CPU_IDLE || after->cpu_times <= NODE_CPU_IDLE)
		return NAN;
	for (int which = 0; which < NODE_CPU_TIMES; which++)
		all += cpu_grown(before, after, which);
	idle = cpu_grown(before, after, NODE_CPU_IDLE) + cpu_grown(before, after, NODE_CPU_IOWAIT);
	return percent(all - idle, all);
}

static double limit_cpu_percent(const struct node_reading *before, const struct node_reading *after)
{
	double elapsed_us = (after->steady_ns - before->steady_ns) / 1000.0;

	if (!after->limit_cpus.known)
		return NAN;
	return percent(grown(before->limit_cpu_us, after->limit_cpu_us),
		       elapsed_us * after->limit_cpus.value);
}

static double machine_memory_percent(const struct node_reading *reading)
{
	if (!reading->memory_total.known || !reading->memory_available.known)
		return NAN;
	return percent(reading->memory_total.value - reading->memory_available.value,
		       reading->memory_total.value);
}

static double limit_memory_percent(const struct node_reading *reading)
{
	if (!reading->limit_memory_bytes.known || !reading->limit_memory_used_bytes.known)
		return NAN;
	return percent(reading->limit_memory_used_bytes.value, reading->limit_memory_bytes.value);
}

static double retransmit_percent(const struct node_reading *before,
				 const struct node_reading *after)
{
	double again = grown(before->tcp_retransmitted, after->tcp_retransmitted);
	double all = again + grown(before->tcp_sent, after->tcp_sent);

	return all >= NODE_SEGMENTS_MIN ? percent(again, all) : NAN;
}

void node_load_report(const struct node_reading *before, const struct node_reading *after,
		      struct report *report)
{
	/* fmax() takes the other one where one is NaN. */
	report_measured(report, REPORT_CPU,
			fmax(machine_cpu_percent(before, after), limit_cpu_percent(before, after)));
	report_measured(report, REPORT_MEM,
			fmax(machine_memory_percent(after), limit_memory_percent(after)));
	if (after->load_1min.known && after->cpus)
		report_measured(report, REPORT_LOAD, after->load_1min.value / after->cpus);
	if (after->tcp_connections.known)
		report_measured(report, REPORT_INFLIGHT, after->tcp_connections.value);
	report_measured(report, REPORT_RETRANSMIT, retransmit_percent(before, after));
}
