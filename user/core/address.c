/* SPDX-License-Identifier: GPL-2.0-only */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int address_parse(const char *text, struct address *address)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		*address = (struct address){.word = {0, 0, htonl(0xffff), ipv4.s_addr}};
		return 0;
	}
	if (inet_pton(AF_INET6, text, &ipv6) == 1) {
		memcpy(address->word, &ipv6, sizeof(address->word));
		return 0;
	}
	return -EINVAL;
}

static int port_parse(const char *text, __u16 *port)
{
	unsigned int value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits < 1 || digits > 5 || text[digits] != '\0' || text[0] == '0')
		return -EINVAL;
	for (; *text; text++)
		value = value * 10 + (*text - '0');
	if (value > 65535)
		return -EINVAL;
	*port = value;
	return 0;
}

/* The address is the @bytes bytes at @text; @port_text is NULL or what stands behind the colon. */
static int address_port_parse(const char *text, size_t bytes, const char *port_text,
			      struct address *address, __u16 *port)
{
	char host[INET6_ADDRSTRLEN];
	struct address parsed;
	__u16 parsed_port = 0;

	if (bytes >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, bytes);
	host[bytes] = '\0';
	if (address_parse(host, &parsed) || (port_text && port_parse(port_text, &parsed_port)))
		return -EINVAL;
	*address = parsed;
	*port = parsed_port;
	return 0;
}

int address_parse_port(const char *text, struct address *address, __u16 *port)
{
	const char *colon = strchr(text, ':');
	const char *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		/* Brackets are for IPv6 (RFC 3986, 3.2.2), which always has a colon. */
		if (!end || !colon || colon > end || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		return address_port_parse(text + 1, end - text - 1, end[1] ? end + 2 : NULL,
					  address, port);
	}
	if (colon && !strchr(colon + 1, ':'))
		return address_port_parse(text, colon - text, colon + 1, address, port);
	return address_port_parse(text, strlen(text), NULL, address, port);
}

bool address_is_ipv4(const struct address *address)
{
	return !address->word[0] && !address->word[1] && address->word[2] == htonl(0xffff);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return !memcmp(a->word, b->word, sizeof(a->word));
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
	if (address_is_ipv4(address))
		return inet_ntop(AF_INET, &address->word[3], text, ADDRESS_TEXT_BYTES);
	return inet_ntop(AF_INET6, address->word, text, ADDRESS_TEXT_BYTES);
}

const char *address_format_port(const struct address *address, __u16 port,
				char text[ADDRESS_TEXT_BYTES])
{
	char host[ADDRESS_TEXT_BYTES];

	if (!port)
		return address_format(address, text);
	address_format(address, host);
	snprintf(text, ADDRESS_TEXT_BYTES, address_is_ipv4(address) ? "%s:%u" : "[%s]:%u", host,
		 port);
	return text;
}
