/* SPDX-License-Identifier: GPL-2.0-only */
#include "endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

socklen_t endpoint_to_socket(const struct address *address, __u16 port,
			     struct sockaddr_storage *socket_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)socket_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)socket_address;

	memset(socket_address, 0, sizeof(*socket_address));
	if (address_is_ipv4(address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = address->word[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->word, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

const char *endpoint_format(const struct sockaddr_storage *socket_address,
			    char text[ADDRESS_TEXT_BYTES])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)socket_address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)socket_address;
	struct address address = {.word = {0, 0, htonl(0xffff), v4->sin_addr.s_addr}};

	if (socket_address->ss_family == AF_INET)
		return address_format_port(&address, ntohs(v4->sin_port), text);
	memcpy(address.word, &v6->sin6_addr, sizeof(address.word));
	return address_format_port(&address, ntohs(v6->sin6_port), text);
}
