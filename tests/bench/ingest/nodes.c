/* SPDX-License-Identifier: GPL-2.0-only */
#include "nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/core/report_json.h"

#define TEXT_BYTES_MAX 704

/* "2026-11-20T09:00:00": what changes of last_seen from one second to the next. */
#define SECOND_BYTES 19

struct node {
	__u16 text_bytes;
	char datagram[ENVELOPE_HEADER_BYTES + TEXT_BYTES_MAX];
};

struct nodes {
	struct envelope_key *key;
	size_t count;
	size_t cpu_offset; /* in the text; the same in all, since names are of one length */
	size_t seen_offset;
	int64_t seen_s;
	char seen[SECOND_BYTES + 1];
	__u64 first_sender;
	char text[TEXT_BYTES_MAX];
	struct node node[];
};

static struct report example_report(size_t index)
{
	struct report report = {
		.region = "eu-1",
		.fields = REPORT_CPU | REPORT_MEM | REPORT_LOAD | REPORT_LATENCY | REPORT_RPS |
			  REPORT_INFLIGHT | REPORT_RETRANSMIT | REPORT_RTT | REPORT_RTT_DEVIATION |
			  REPORT_P50 | REPORT_P95 | REPORT_P99 | REPORT_REGION | REPORT_LAST_SEEN,
		.cpu_percent = 10,
		.mem_percent = 5.5,
		.load = 0.312,
		.latency_ms = NODE_LATENCY_MS,
		.rps = 1234.5,
		.inflight = 12.345,
		.retransmit_percent = 0.12,
		.rtt_ms = 1.234,
		.rtt_deviation_ms = 0.345,
		.p50_ms = 8.192,
		.p95_ms = 21.5,
		.p99_ms = 43.25,
		.last_seen_ms = 1,
	};

	snprintf(report.node, sizeof(report.node), NODE_NAME, index);
	return report;
}

/* What an agent of a node with one service says. Returns the bytes, 0 when there is no memory. */
static size_t write_text(size_t index, char text[TEXT_BYTES_MAX])
{
	struct report report = example_report(index);
	json_t *root = report_json(&report), *service;
	size_t bytes = 0;

	report.fields &= ~(REPORT_CPU | REPORT_MEM | REPORT_LOAD);
	service = report_json_numbers(&report);
	if (root && service && !json_object_set_new(service, "service", json_string("probed")) &&
	    !json_object_set_new(root, "services", json_pack("[O]", service)))
		bytes = json_dumpb(root, text, TEXT_BYTES_MAX - 1,
				   JSON_COMPACT | JSON_REAL_PRECISION(10));
	json_decref(service);
	json_decref(root);
	if (bytes >= TEXT_BYTES_MAX)
		return 0;
	text[bytes] = '\0';
	return bytes;
}

static size_t offset_of_value(const char *text, const char *key)
{
	return strstr(text, key) + strlen(key) - text;
}

struct nodes *nodes_new(size_t count, struct envelope_key *key)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes) + count * sizeof(nodes->node[0]));

	if (!nodes)
		return NULL;
	nodes->key = key;
	nodes->count = count;
	nodes->seen_s = -1;
	nodes->first_sender = (__u64)time(NULL) << 32;
	for (size_t i = 0; i < count; i++) {
		struct node *node = &nodes->node[i];

		node->text_bytes = write_text(i, nodes->text);
		if (!node->text_bytes) {
			nodes_free(nodes);
			return NULL;
		}
		memcpy(node->datagram + ENVELOPE_HEADER_BYTES, nodes->text, node->text_bytes);
	}
	nodes->cpu_offset = offset_of_value(nodes->text, "\"cpu_percent\":");
	nodes->seen_offset = offset_of_value(nodes->text, "\"last_seen\":\"");
	return nodes;
}

void nodes_free(struct nodes *nodes)
{
	free(nodes);
}

static void set_second(struct nodes *nodes, int64_t unix_s)
{
	struct tm utc;

	if (unix_s == nodes->seen_s)
		return;
	gmtime_r(&(time_t){unix_s}, &utc);
	strftime(nodes->seen, sizeof(nodes->seen), "%Y-%m-%dT%H:%M:%S", &utc);
	nodes->seen_s = unix_s;
}

int nodes_seal(struct nodes *nodes, size_t index, __u64 sequence, int64_t unix_ms,
	       const void **datagram)
{
	struct node *node = &nodes->node[index];
	char *text = node->datagram + ENVELOPE_HEADER_BYTES;
	struct envelope envelope = {
		.sender = nodes->first_sender + index,
		.sequence = sequence,
		.sent_ms = unix_ms,
		.text = nodes->text,
		.text_bytes = node->text_bytes,
	};

	set_second(nodes, unix_ms / 1000);
	memcpy(text + nodes->seen_offset, nodes->seen, SECOND_BYTES);
	text[nodes->cpu_offset] = "135"[sequence % LEVELS];
	*datagram = node->datagram;
	/* Sealing copies the text, so it comes from elsewhere. */
	memcpy(nodes->text, text, node->text_bytes);
	return envelope_seal(nodes->key, &envelope, node->datagram);
}
