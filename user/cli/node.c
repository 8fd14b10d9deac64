/* SPDX-License-Identifier: GPL-2.0-only */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kernel/node.h"
#include "../kernel/object.h"

/* As many tags as the program opens frames with. */
#define VLAN_DEPTH_MAX 2

static bool address_of(const struct sockaddr *from, struct node_address *to)
{
	if (!from)
		return false;
	memset(to, 0, sizeof(*to));
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		to->low = (__u64)in->sin_addr.s_addr << 32 | 0xffff0000;
		return true;
	}
	if (from->sa_family == AF_INET6) {
		memcpy(to, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
		return true;
	}
	return false;
}

/* @name is @device or a VLAN device on it: the frames of both come in by @device. */
static bool comes_in_by(int socket_fd, const char *name, const char *device)
{
	struct vlan_ioctl_args vlan = {.cmd = GET_VLAN_REALDEV_NAME_CMD};
	char at[IF_NAMESIZE];
	int depth;

	snprintf(at, sizeof(at), "%s", name);
	for (depth = 0; strcmp(at, device); depth++) {
		snprintf(vlan.device1, sizeof(vlan.device1), "%s", at);
		if (depth == VLAN_DEPTH_MAX || ioctl(socket_fd, SIOCGIFVLAN, &vlan))
			return false;
		snprintf(at, sizeof(at), "%.*s", IF_NAMESIZE - 1, vlan.u.device2);
	}
	return true;
}

/* Returns how many, or a negative errno. */
static int list_addresses(const char *device, struct node_address addresses[NODE_ADDRESSES_MAX])
{
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifaddrs *list = NULL, *entry;
	int count = 0;

	if (socket_fd < 0 || getifaddrs(&list))
		count = -errno;
	for (entry = list; entry && count < NODE_ADDRESSES_MAX; entry = entry->ifa_next) {
		if (!comes_in_by(socket_fd, entry->ifa_name, device) ||
		    !address_of(entry->ifa_addr, &addresses[count]))
			continue;
		addresses[count++].ifindex = if_nametoindex(entry->ifa_name);
	}
	freeifaddrs(list);
	if (socket_fd >= 0)
		close(socket_fd);
	return count;
}

/*
 * The program asks for routes to next hops as lo would (bpf/node_hop.h), for which lo must be
 * allowed to forward. That lets nothing through: no packet from outside comes in by lo.
 */
static void allow_route_lookups(void)
{
	static const char *const paths[] = {
		"/proc/sys/net/ipv4/conf/lo/forwarding",
		"/proc/sys/net/ipv6/conf/lo/forwarding",
	};
	size_t i;
	int fd;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT) /* this kernel has no IPv6 */
			continue;
		if (fd < 0 || write(fd, "1", 1) != 1)
			cli_warn("cannot set %s to 1: %s; packets of unknown connections will not "
				 "be given to the next hop",
				 paths[i], strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

int node_load(const struct cli *cli, const char *device, uint16_t gue_port)
{
	struct node_address addresses[NODE_ADDRESSES_MAX];
	struct text_error error;
	int count = list_addresses(device, addresses);

	if (count < 0)
		return cli_fail("cannot list addresses: %s", strerror(-count));
	if (!count)
		cli_warn("%s has no address yet: it will open no packets; attach it again when it "
			 "has",
			 device);
	if (object_load_node(cli->pin_dir, addresses, count, gue_port, &error))
		return cli_fail("%s", error.what);
	allow_route_lookups();
	return CLI_OK;
}

json_t *node_json(const struct cli *cli)
{
	struct node_counters sum;
	int err = node_counters_read(cli->pin_dir, &sum);

	if (err == -ENOENT)
		return NULL;
	if (err)
		cli_warn("cannot read the node's counters: %s", strerror(-err));
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)sum.packets, "bytes",
			 (json_int_t)sum.bytes, "passed_on", (json_int_t)sum.passed_on,
			 "no_neighbour", (json_int_t)sum.no_neighbour, "no_hop_left",
			 (json_int_t)sum.no_hop_left);
}

static void print_line(const json_t *node, const char *key, const char *words)
{
	printf("  %12lld  %s\n", (long long)json_integer_value(json_object_get(node, key)), words);
}

void node_print(const json_t *node)
{
	puts("\nThis node's packets:");
	print_line(node, "packets", "taken out of tunnels");
	print_line(node, "passed_on", "of connections unknown here, given to the next hop");
	print_line(node, "no_neighbour",
		   "of those lost, while the next hop's MAC address was asked for");
	print_line(node, "no_hop_left", "of connections unknown here, with no hop left to try");
}
