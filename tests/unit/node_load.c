/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "user/core/node_load.h"

#define SECOND_NS 1000000000LL

static const char stat_0[] = "cpu  1000 100 500 8000 300 20 30 50 7 3\n"
			     "cpu0 500 50 250 4000 150 10 15 25 0 0\n"
			     "cpu1 500 50 250 4000 150 10 15 25 0 0\n"
			     "intr 14948099 0 0 cpu9\nctxt 17\nprocs_running 2\n";
/* 60 user, 10 nice, 15 system, 280 idle, 20 iowait, 1 irq, 4 softirq, 10 steal: 100 of 400. */
static const char stat_1[] = "cpu  1060 110 515 8280 320 21 34 60 900 900\n"
			     "cpu0 530 55 257 4140 160 10 17 30 0 0\n"
			     "cpu1 530 55 258 4140 160 11 17 30 0 0\n";

static const char meminfo[] = "MemTotal:        8000 kB\nMemFree:         1000 kB\n"
			      "MemAvailable:    6000 kB\nBuffers:          100 kB\n"
			      "Cached:           900 kB\nSwapCached:        77 kB\n";

static const char snmp_0[] =
	"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	"Tcp: RtoAlgorithm RtoMin MaxConn CurrEstab InSegs OutSegs RetransSegs InErrs\n"
	"Tcp: 1 200 -1 12 5000 6000 70 0\n"
	"Udp: InDatagrams\nUdp: 9\n";
static const char snmp_1[] =
	"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	"Tcp: RtoAlgorithm RtoMin MaxConn CurrEstab InSegs OutSegs RetransSegs InErrs\n"
	"Tcp: 1 200 -1 17 5000 6390 80 0\n"
	"Udp: InDatagrams\nUdp: 9\n";
static const char netstat_0[] = "TcpExt: TW TCPOrigDataSent\nTcpExt: 1 3000\n"
				"IpExt: InNoRoutes\nIpExt: 0\n";
static const char netstat_1[] = "TcpExt: TW TCPOrigDataSent\nTcpExt: 9 3190\n"
				"IpExt: InNoRoutes\nIpExt: 0\n";

static struct report between(const struct node_texts *before, const struct node_texts *after,
			     int64_t elapsed_ns)
{
	struct node_reading first, second;
	struct report report = {0};

	node_reading_parse(before, 5 * SECOND_NS, &first);
	node_reading_parse(after, 5 * SECOND_NS + elapsed_ns, &second);
	node_load_report(&first, &second, &report);
	return report;
}

static void assert_near(double got, double expected)
{
	if (!(got > expected - 1e-9 && got < expected + 1e-9))
		fail_msg("got %.12g, expected %.12g", got, expected);
}

static void everything(void **state)
{
	struct node_texts before = {.stat = stat_0, .snmp = snmp_0, .netstat = netstat_0};
	struct node_texts after = {.stat = stat_1,
				   .meminfo = meminfo,
				   .loadavg = "3.00 1.50 0.75 2/222 12345\n",
				   .snmp = snmp_1,
				   .netstat = netstat_1};
	struct report report = between(&before, &after, 2 * SECOND_NS);

	(void)state;
	assert_int_equal(report.fields, REPORT_CPU | REPORT_MEM | REPORT_LOAD | REPORT_INFLIGHT |
						REPORT_RETRANSMIT);
	assert_near(report.cpu_percent, 25);
	assert_near(report.mem_percent, 25);
	assert_near(report.load, 1.5);
	assert_near(report.inflight, 17);
	assert_near(report.retransmit_percent, 5); /* 10 of 200 */
}

static void nothing_known(void **state)
{
	static const char *const odd[] = {
		NULL,
		"",
		"\n",
		"cpu",
		"cpu ",
		"cpu  1",
		"cpu  1 2 3",
		"MemTotal:",
		"MemTotal: x kB",
		"Tcp:",
		"Tcp: CurrEstab",
		"Tcp: CurrEstab\n",
		"Tcp: CurrEstab\nTcp:",
		"Tcp: CurrEstab RetransSegs\nUdp: 1 2\n",
		"TcpExt: TCPOrigDataSent\nTcpExt: \n",
		"-1",
		"nan",
		"inf",
		"max",
		"max 100000",
		"100000",
		"100000 0",
		"100000 -5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct node_texts texts = {
			.stat = odd[i],
			.meminfo = odd[i],
			.snmp = odd[i],
			.netstat = odd[i],
			.loadavg = odd[i],
			.cpu_max = odd[i],
			.cpu_stat = odd[i],
			.memory_max = odd[i],
			.memory_current = odd[i],
			.memory_stat = odd[i],
		};
		struct node_texts only_max = {.cpu_max = odd[i], .cpu_stat = "usage_usec 7\n"};
		struct report report = between(&texts, &texts, SECOND_NS);

		if (report.fields & ~REPORT_MEM)
			fail_msg("%s: fields %#x", odd[i], report.fields);
		report = between(&only_max, &only_max, SECOND_NS);
		if (report.fields)
			fail_msg("cpu.max \"%s\": fields %#x", odd[i], report.fields);
	}
}

/* Old kernels have fewer columns, and no MemAvailable. */
static void old_kernels(void **state)
{
	struct node_texts before = {.stat = "cpu 10 0 10 100\ncpu0 10 0 10 100\n", .snmp = snmp_0};
	struct node_texts after = {.stat = "cpu 20 0 40 160\ncpu0 20 0 40 160\n",
				   .snmp = snmp_1,
				   .meminfo = "MemTotal: 1000 kB\nMemFree: 100 kB\n"
					      "Buffers: 50 kB\nCached: 250 kB\n"};
	struct report report = between(&before, &after, SECOND_NS);

	(void)state;
	assert_int_equal(report.fields,
			 REPORT_CPU | REPORT_MEM | REPORT_INFLIGHT | REPORT_RETRANSMIT);
	assert_near(report.cpu_percent, 40);
	assert_near(report.mem_percent, 60);
	assert_near(report.retransmit_percent, 2.5); /* 10 of 400: OutSegs stands in */
}

static void counters_that_go_back(void **state)
{
	struct node_texts before = {.stat = stat_1, .snmp = snmp_1, .netstat = netstat_1};
	struct node_texts after = {.stat = stat_0, .snmp = snmp_0, .netstat = netstat_0};
	struct report report = between(&before, &after, SECOND_NS);

	(void)state;
	assert_int_equal(report.fields, REPORT_INFLIGHT);
	assert_near(report.inflight, 12);

	/* One began anew, the other did not. */
	before = (struct node_texts){.snmp = "Tcp: OutSegs RetransSegs\nTcp: 100 50\n"};
	after = (struct node_texts){.snmp = "Tcp: OutSegs RetransSegs\nTcp: 1000 7\n"};
	report = between(&before, &after, SECOND_NS);
	assert_int_equal(report.fields, 0);

	/* iowait alone may go back; then the rest is what there was: 30 of 40. */
	before = (struct node_texts){.stat = "cpu 100 0 0 100 50\n"};
	after = (struct node_texts){.stat = "cpu 130 0 0 110 45\n"};
	report = between(&before, &after, SECOND_NS);
	assert_int_equal(report.fields, REPORT_CPU);
	assert_near(report.cpu_percent, 75);
	/* No time has passed. */
	report = between(&before, &before, 0);
	assert_int_equal(report.fields, 0);
	/* 64 bits are all there. */
	before = (struct node_texts){.stat = "cpu 18446744073709551000 0 0 18446744073709551000\n"};
	after = (struct node_texts){.stat = "cpu 18446744073709551025 0 0 18446744073709551075\n"};
	report = between(&before, &after, SECOND_NS);
	assert_near(report.cpu_percent, 25);
}

static void few_segments(void **state)
{
	struct node_texts before = {.snmp = "Tcp: OutSegs RetransSegs\nTcp: 100 5\n"};
	struct node_texts few = {.snmp = "Tcp: OutSegs RetransSegs\nTcp: 118 6\n"};
	struct node_texts enough = {.snmp = "Tcp: OutSegs RetransSegs\nTcp: 119 6\n"};
	struct report report = between(&before, &few, SECOND_NS);

	(void)state;
	assert_int_equal(report.fields, 0);
	report = between(&before, &enough, SECOND_NS);
	assert_int_equal(report.fields, REPORT_RETRANSMIT);
	assert_near(report.retransmit_percent, 5);
	/* Nothing but retransmissions. */
	enough.snmp = "Tcp: OutSegs RetransSegs\nTcp: 100 505\n";
	report = between(&before, &enough, SECOND_NS);
	assert_near(report.retransmit_percent, 100);
}

static void limits_of_a_control_group(void **state)
{
	struct node_texts before = {.stat = stat_0,
				    .cpu_max = "50000 100000\n",
				    .cpu_stat = "usage_usec 1000000\nuser_usec 5\n"};
	struct node_texts after = {.stat = stat_1,
				   .meminfo = meminfo,
				   .cpu_max = "50000 100000\n",
				   .cpu_stat = "usage_usec 1800000\nuser_usec 5\n",
				   .memory_max = "1000000\n",
				   .memory_current = "900000\n",
				   .memory_stat = "anon 5\ninactive_file 200000\n"};
	struct report report = between(&before, &after, 2 * SECOND_NS);

	(void)state;
	assert_near(report.cpu_percent, 80); /* 0.8 s of half a CPU in 2 s; the machine has 25 */
	assert_near(report.mem_percent, 70);

	/* The machine is the busier one. */
	before.cpu_max = after.cpu_max = "400000 100000\n";
	after.memory_max = "10000000\n";
	report = between(&before, &after, 2 * SECOND_NS);
	assert_near(report.cpu_percent, 25);
	assert_near(report.mem_percent, 25);

	/* Over its limit, by a burst. */
	before.cpu_max = after.cpu_max = "10000 100000\n";
	after.memory_max = "1000\n";
	report = between(&before, &after, 2 * SECOND_NS);
	assert_near(report.cpu_percent, 100);
	assert_near(report.mem_percent, 100);

	/* No limit. */
	before.cpu_max = after.cpu_max = "max 100000\n";
	after.memory_max = "max\n";
	report = between(&before, &after, 2 * SECOND_NS);
	assert_near(report.cpu_percent, 25);
	assert_near(report.mem_percent, 25);

	/* The clock stood still: the machine's own count of time goes on. */
	before.cpu_max = after.cpu_max = "50000 100000\n";
	report = between(&before, &after, 0);
	assert_near(report.cpu_percent, 25);
}

/* @bytes of a text, behind which there is nothing to be read. */
static char *first_bytes(const char *text, size_t bytes)
{
	char *copy = malloc(bytes + 1);

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

static void cut_off_anywhere(void **state)
{
	static const char *const samples[] = {stat_1, meminfo, snmp_1, netstat_1, "50000 100000\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		for (size_t bytes = 0; bytes <= strlen(samples[i]); bytes++) {
			char *cut = first_bytes(samples[i], bytes);
			struct node_texts before = {.stat = stat_0, .snmp = snmp_0};
			struct node_texts after = {.stat = cut,
						   .meminfo = cut,
						   .snmp = cut,
						   .netstat = cut,
						   .cpu_max = cut};
			struct report report = between(&before, &after, SECOND_NS);

			assert_true(report.cpu_percent >= 0 && report.cpu_percent <= 100);
			assert_true(report.mem_percent >= 0 && report.mem_percent <= 100);
			assert_true(report.retransmit_percent >= 0 &&
				    report.retransmit_percent <= 100);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),       cmocka_unit_test(nothing_known),
		cmocka_unit_test(old_kernels),      cmocka_unit_test(counters_that_go_back),
		cmocka_unit_test(few_segments),     cmocka_unit_test(limits_of_a_control_group),
		cmocka_unit_test(cut_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
