/* SPDX-License-Identifier: GPL-2.0-only */
#include "report_sender.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "key_file.h"
#include "log.h"
#include "unix_socket.h"

enum { IPV4, IPV6, FAMILIES };

struct report_sender {
	const struct config_agent *config;
	struct envelope_key *key; /* NULL: nobody is reached by UDP */
	int fds[FAMILIES];        /* -1: none is needed */
	__u64 sender;
	__u64 sequence;
	int errors[CONFIG_BALANCERS_MAX]; /* of the last report, 0 or negative errno */
	char datagram[ENVELOPE_BYTES_MAX];
};

/* Not connected: the route, and with it our address, may change from one report to the next. */
static int open_socket(struct report_sender *sender, const struct config_balancer *balancer,
		       struct text_error *error)
{
	bool ipv4 = address_is_ipv4(&balancer->udp.address);
	int *fd = &sender->fds[ipv4 ? IPV4 : IPV6];

	if (*fd >= 0)
		return 0;
	*fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return text_refuse(error, -errno, NULL, "cannot make a UDP socket: %s",
				   strerror(errno));
	return 0;
}

static int open_udp(struct report_sender *sender, struct text_error *error)
{
	const struct config_agent *config = sender->config;
	int err = 0;

	for (size_t i = 0; i < config->balancer_count && !err; i++) {
		if (!config->balancers[i].udp.port)
			continue;
		err = open_socket(sender, &config->balancers[i], error);
		if (!err && !sender->key) {
			sender->key = key_file_read(config->key_file, error);
			err = sender->key ? 0 : -EINVAL;
		}
	}
	return err;
}

struct report_sender *report_sender_open(const struct config_agent *config,
					 struct text_error *error)
{
	struct report_sender *sender = calloc(1, sizeof(*sender));

	if (!sender) {
		text_refuse(error, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	sender->config = config;
	sender->fds[IPV4] = sender->fds[IPV6] = -1;
	if (getrandom(&sender->sender, sizeof(sender->sender), 0) != sizeof(sender->sender))
		text_refuse(error, -errno, NULL, "no random number: %s", strerror(errno));
	else if (!open_udp(sender, error))
		return sender;
	report_sender_close(sender);
	return NULL;
}

void report_sender_close(struct report_sender *sender)
{
	if (!sender)
		return;
	for (int family = 0; family < FAMILIES; family++) {
		if (sender->fds[family] >= 0)
			close(sender->fds[family]);
	}
	envelope_key_free(sender->key);
	free(sender);
}

static int send_udp(struct report_sender *sender, const struct endpoint *to, int datagram_bytes)
{
	int fd = sender->fds[address_is_ipv4(&to->address) ? IPV4 : IPV6];
	struct sockaddr_storage address;
	socklen_t bytes = endpoint_to_socket(&to->address, to->port, &address);

	if (datagram_bytes < 0)
		return datagram_bytes;
	return sendto(fd, sender->datagram, datagram_bytes, MSG_DONTWAIT,
		      (struct sockaddr *)&address, bytes) < 0
		       ? -errno
		       : 0;
}

/* Each time by its name: a balancer that starts anew makes a new socket. */
static int send_unix(const char *path, const char *text, size_t text_bytes)
{
	int fd = unix_socket_connect(path, SOCK_DGRAM | SOCK_NONBLOCK);
	int err;

	if (fd < 0)
		return fd;
	err = send(fd, text, text_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static void say_change(const struct config_balancer *balancer, int before, int now)
{
	char text[ADDRESS_TEXT_BYTES];
	const char *name = balancer->udp.port ? address_format_port(&balancer->udp.address,
								    balancer->udp.port, text)
					      : balancer->path;

	if (now && now != before)
		log_say(LOG_WARNING, "cannot report to %s: %s", name, strerror(-now));
	else if (!now && before)
		log_say(LOG_INFO, "reports to %s leave again", name);
}

/* The same datagram for all, so that one who records it has nothing new for any of them. */
void report_sender_send(struct report_sender *sender, const char *text, size_t text_bytes)
{
	const struct envelope envelope = {
		.sender = sender->sender,
		.sequence = ++sender->sequence,
		.sent_ms = clock_wall_ms(),
		.text = text,
		.text_bytes = text_bytes,
	};
	int datagram_bytes =
		sender->key ? envelope_seal(sender->key, &envelope, sender->datagram) : 0;

	for (size_t i = 0; i < sender->config->balancer_count; i++) {
		const struct config_balancer *balancer = &sender->config->balancers[i];
		int err = balancer->udp.port ? send_udp(sender, &balancer->udp, datagram_bytes)
					     : send_unix(balancer->path, text, text_bytes);

		say_change(balancer, sender->errors[i], err);
		sender->errors[i] = err;
	}
}
