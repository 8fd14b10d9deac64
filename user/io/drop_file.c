/* SPDX-License-Identifier: GPL-2.0-only */
#include "drop_file.h"

#include <errno.h>
#include <stdlib.h>

#include <pcap/pcap.h>

struct drop_file {
	pcap_t *kind;
	pcap_dumper_t *dumper;
};

struct drop_file *drop_file_open(const char *path, struct text_error *error)
{
	struct drop_file *file = calloc(1, sizeof(*file));

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!file)
		return NULL;
	file->kind = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, EVENT_FRAME_BYTES,
							  PCAP_TSTAMP_PRECISION_NANO);
	if (file->kind) {
		file->dumper = pcap_dump_open(file->kind, path);
		if (file->dumper)
			return file;
		text_refuse(error, -EIO, NULL, "cannot write %s: %s", path,
			    pcap_geterr(file->kind));
		pcap_close(file->kind);
	}
	free(file);
	return NULL;
}

int drop_file_add(struct drop_file *file, const struct drop_event *event, __u64 wall_ns)
{
	const struct pcap_pkthdr header = {
		/* tv_usec: nanoseconds, in a file of that precision. */
		.ts = {.tv_sec = wall_ns / 1000000000, .tv_usec = wall_ns % 1000000000},
		.caplen = event->captured_bytes,
		.len = event->frame_bytes,
	};

	pcap_dump((unsigned char *)file->dumper, &header, event->frame);
	return pcap_dump_flush(file->dumper) ? -EIO : 0;
}

int drop_file_close(struct drop_file *file)
{
	int err = 0;

	if (!file)
		return 0;
	if (pcap_dump_flush(file->dumper))
		err = -EIO;
	pcap_dump_close(file->dumper);
	pcap_close(file->kind);
	free(file);
	return err;
}
