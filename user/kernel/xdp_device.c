/* SPDX-License-Identifier: GPL-2.0-only */
#include "xdp_device.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

struct collection {
	struct xdp_device *devices;
	size_t count;
	bool idle_ones; /* those without a program as well */
	int err;
};

/* A device may run a program offloaded and another one in its driver: the latter is what we see. */
static const struct {
	int attribute;
	enum attach_mode mode;
} modes[] = {
	{IFLA_XDP_DRV_PROG_ID, ATTACH_NATIVE},
	{IFLA_XDP_SKB_PROG_ID, ATTACH_GENERIC},
	{IFLA_XDP_HW_PROG_ID, ATTACH_OFFLOAD},
};

static void read_program(struct nlattr *attribute, struct xdp_device *device)
{
	struct nlattr *xdp[IFLA_XDP_MAX + 1];

	if (!attribute || nla_parse_nested(xdp, IFLA_XDP_MAX, attribute, NULL) < 0)
		return;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (xdp[modes[i].attribute] && !device->program_id) {
			device->program_id = nla_get_u32(xdp[modes[i].attribute]);
			device->mode = modes[i].mode;
		}
	}
}

static int on_device(struct nl_msg *message, void *context)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct collection *collection = context;
	struct nlattr *attributes[IFLA_MAX + 1];
	struct xdp_device device = {};
	struct xdp_device *grown;

	if (nlmsg_parse(header, sizeof(struct ifinfomsg), attributes, IFLA_MAX, NULL) < 0 ||
	    !attributes[IFLA_IFNAME])
		return NL_SKIP;
	device.ifindex = ((struct ifinfomsg *)nlmsg_data(header))->ifi_index;
	nla_strlcpy(device.name, attributes[IFLA_IFNAME], sizeof(device.name));
	if (attributes[IFLA_MTU])
		device.mtu_bytes = nla_get_u32(attributes[IFLA_MTU]);
	read_program(attributes[IFLA_XDP], &device);
	if (!device.program_id && !collection->idle_ones)
		return NL_OK;

	grown = reallocarray(collection->devices, collection->count + 1, sizeof(*grown));
	if (!grown) {
		collection->err = -ENOMEM;
		return NL_SKIP;
	}
	collection->devices = grown;
	grown[collection->count++] = device;
	return NL_OK;
}

/* @ifindex 0: all devices. */
static int collect(int ifindex, struct collection *collection)
{
	struct ifinfomsg header = {.ifi_index = ifindex};
	struct nl_sock *socket = nl_socket_alloc();
	int err;

	if (!socket)
		return -ENOMEM;
	nl_socket_disable_auto_ack(socket);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_device, collection);
	err = nl_connect(socket, NETLINK_ROUTE);
	if (!err)
		err = nl_send_simple(socket, RTM_GETLINK, ifindex ? 0 : NLM_F_DUMP, &header,
				     sizeof(header));
	if (err >= 0)
		err = nl_recvmsgs_default(socket);
	nl_socket_free(socket);
	return err < 0 ? -EIO : collection->err;
}

int xdp_device_find(const char *name, struct xdp_device *device)
{
	struct collection collection = {.idle_ones = true};
	int ifindex = if_nametoindex(name);
	int err;

	if (!ifindex)
		return -ENODEV;
	err = collect(ifindex, &collection);
	if (!err && !collection.count)
		err = -ENODEV;
	if (!err)
		*device = collection.devices[0];
	free(collection.devices);
	return err;
}

__u32 xdp_device_flags(enum attach_mode mode)
{
	return mode == ATTACH_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

int xdp_device_exchange(const struct xdp_device *device, int program_fd)
{
	int old_fd = bpf_prog_get_fd_by_id(device->program_id);
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = old_fd);
	int err;

	if (old_fd < 0)
		return -errno;
	err = bpf_xdp_attach(device->ifindex, program_fd,
			     xdp_device_flags(device->mode) | XDP_FLAGS_REPLACE, &options);
	close(old_fd);
	return err;
}

/*
 * Nothing tells but the refusal to replace it: for want of the program expected, which is none, or,
 * looked at first, for a link. Kernels say the latter in words as well, which is no complaint.
 */
bool xdp_device_is_linked(const struct xdp_device *device)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, nothing, .old_prog_fd = -1);
	libbpf_print_fn_t print;
	int err;

	if (!device->program_id)
		return false;
	print = libbpf_set_print(NULL);
	err = bpf_xdp_attach(device->ifindex, -1,
			     xdp_device_flags(device->mode) | XDP_FLAGS_REPLACE, &nothing);
	libbpf_set_print(print);
	return err == -EBUSY;
}

int xdp_device_list(struct xdp_device **devices, size_t *count)
{
	struct collection collection = {};
	int err = collect(0, &collection);

	if (err) {
		free(collection.devices);
		return err;
	}
	*devices = collection.devices;
	*count = collection.count;
	return 0;
}
