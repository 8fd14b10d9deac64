/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses as the socket calls want them. */
#ifndef SLUICE_IO_ENDPOINT_H
#define SLUICE_IO_ENDPOINT_H

#include <sys/socket.h>

#include "../core/address.h"

/* @port in host order. Returns the bytes of @socket_address that are used. */
socklen_t endpoint_to_socket(const struct address *address, __u16 port,
			     struct sockaddr_storage *socket_address);

/* "10.0.0.1:9601", into @text, which is returned. */
const char *endpoint_format(const struct sockaddr_storage *socket_address,
			    char text[ADDRESS_TEXT_BYTES]);

#endif
