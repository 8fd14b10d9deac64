/* SPDX-License-Identifier: GPL-2.0-only */
#include "source_udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/envelope.h"
#include "../core/replay.h"
#include "clock.h"
#include "endpoint.h"
#include "key_file.h"

/* As many as one call takes, then the loop sees to the others. */
#define BATCH 32

/* What may pile up while the loop is busy elsewhere: a tenth of a second of 50,000 reports. */
#define QUEUE_BYTES (8 << 20)

struct source_udp {
	int fd;
	struct event *event;
	struct intake *intake;
	struct envelope_key *key;
	struct replay *replay;
	struct mmsghdr messages[BATCH];
	struct iovec places[BATCH];
	struct sockaddr_storage from[BATCH];
	char (*datagrams)[ENVELOPE_BYTES_MAX];
};

static void take(struct source_udp *udp, const char *datagram, size_t bytes,
		 const struct sockaddr_storage *sender)
{
	struct source_counters *counters = &udp->intake->counters[SOURCE_UDP];
	struct envelope envelope;
	struct text_error error;
	char from[ADDRESS_TEXT_BYTES];
	int err = envelope_open(udp->key, datagram, bytes, &envelope);

	endpoint_format(sender, from);
	if (!err)
		err = replay_admit(udp->replay, &envelope, clock_wall_ms(), clock_steady_ms());
	switch (err) {
	case 0:
		intake_text(udp->intake, SOURCE_UDP, from, envelope.text, envelope.text_bytes,
			    &error);
		break;
	case -EPROTO:
		intake_refuse(udp->intake, SOURCE_UDP, &counters->malformed, from,
			      "no envelope of a report");
		break;
	case -EBADMSG:
		intake_refuse(udp->intake, SOURCE_UDP, &counters->forged, from,
			      "sealed with another key");
		break;
	case -EALREADY:
		intake_refuse(udp->intake, SOURCE_UDP, &counters->replayed, from,
			      "it has come before");
		break;
	case -ETIME:
		intake_refuse(udp->intake, SOURCE_UDP, &counters->untimely, from,
			      "sent too long ago, or its clock is ahead");
		break;
	default:
		intake_refuse(udp->intake, SOURCE_UDP, &counters->failed, from, strerror(-err));
	}
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct source_udp *udp = context;
	int count, i;

	(void)what;
	for (i = 0; i < BATCH; i++)
		udp->messages[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
	count = recvmmsg(fd, udp->messages, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < count; i++)
		take(udp, udp->datagrams[i], udp->messages[i].msg_len, &udp->from[i]);
}

static int open_socket(const struct endpoint *at)
{
	struct sockaddr_storage address;
	socklen_t bytes = endpoint_to_socket(&at->address, at->port, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int queue_bytes = QUEUE_BYTES, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof(queue_bytes));
	if (!bind(fd, (struct sockaddr *)&address, bytes))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int source_udp_read_key(struct source_udp *udp, const char *path, struct text_error *error)
{
	struct envelope_key *key = key_file_read(path, error);

	if (!key)
		return -EINVAL;
	envelope_key_free(udp->key);
	udp->key = key;
	return 0;
}

static void prepare_batch(struct source_udp *udp)
{
	for (int i = 0; i < BATCH; i++) {
		udp->places[i] = (struct iovec){udp->datagrams[i], sizeof(udp->datagrams[i])};
		udp->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &udp->from[i],
			.msg_iov = &udp->places[i],
			.msg_iovlen = 1,
		};
	}
}

struct source_udp *source_udp_open(struct event_base *base, const struct config_sources *config,
				   struct intake *intake, struct text_error *error)
{
	struct source_udp *udp = calloc(1, sizeof(*udp));
	char text[ADDRESS_TEXT_BYTES];

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!udp)
		return NULL;
	udp->fd = -1;
	udp->intake = intake;
	if (source_udp_read_key(udp, config->key_file, error))
		goto fail;
	udp->replay = replay_new(config->clock_skew_ms, clock_wall_ms());
	udp->datagrams = calloc(BATCH, sizeof(*udp->datagrams));
	if (!udp->replay || !udp->datagrams)
		goto fail;
	prepare_batch(udp);
	udp->fd = open_socket(&config->udp);
	if (udp->fd < 0) {
		text_refuse(error, udp->fd, "udp", "cannot receive at UDP %s: %s",
			    address_format_port(&config->udp.address, config->udp.port, text),
			    strerror(-udp->fd));
		goto fail;
	}
	udp->event = event_new(base, udp->fd, EV_READ | EV_PERSIST, on_readable, udp);
	if (udp->event && !event_add(udp->event, NULL))
		return udp;
fail:
	source_udp_close(udp);
	return NULL;
}

void source_udp_close(struct source_udp *udp)
{
	if (!udp)
		return;
	if (udp->event)
		event_free(udp->event);
	if (udp->fd >= 0)
		close(udp->fd);
	envelope_key_free(udp->key);
	replay_free(udp->replay);
	free(udp->datagrams);
	free(udp);
}
