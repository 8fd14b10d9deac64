/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of both families in one shape, and their text. */
#ifndef SLUICE_CORE_ADDRESS_H
#define SLUICE_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* 16 bytes in network order; IPv4 as ::ffff:a.b.c.d. */
struct address {
	__be32 word[4];
};

/* "[" + INET6_ADDRSTRLEN + "]:65535" */
#define ADDRESS_TEXT_BYTES 56

/*
 * Read an IPv4 or IPv6 address. Returns 0, or -EINVAL when @text is neither; @address is then
 * unchanged. An IPv4-mapped IPv6 address is the IPv4 address.
 */
int address_parse(const char *text, struct address *address);

/*
 * Read "ADDR", "[ADDR]" (IPv6), "ADDR:PORT" (IPv4) or "[ADDR]:PORT" (IPv6); without a port *@port
 * is 0 (host order). A port is 1 to 65535 in plain digits: a written 0 is refused, as are signs and
 * leading zeros. An IPv6 address without brackets has no port: "::1:80" is all address.
 * Returns 0, or -EINVAL with @address and @port unchanged.
 */
int address_parse_port(const char *text, struct address *address, __u16 *port);

bool address_is_ipv4(const struct address *address);
bool address_equal(const struct address *a, const struct address *b);

/* Write the address into @text and return @text. IPv6 as inet_ntop(3) has it. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES]);

/* The same with ":port" behind it where @port (host order) is not 0. */
const char *address_format_port(const struct address *address, __u16 port,
				char text[ADDRESS_TEXT_BYTES]);

#endif
