/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices out of a cache, as the kernel would describe them: not every kernel has VLAN devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/route/link/vlan.h>

#include "user/io/egress.h"

struct device {
	int ifindex;
	int below; /* 0: none */
	int vlan;  /* 0: none */
	unsigned int arptype;
	unsigned int mtu;
};

static const struct device devices[] = {
	{2, 0, 0, ARPHRD_ETHER, 1600}, {3, 2, 100, ARPHRD_ETHER, 1500},
	{4, 3, 7, ARPHRD_ETHER, 1496}, {5, 4, 9, ARPHRD_ETHER, 1492},
	{6, 0, 0, ARPHRD_NONE, 1400},  {7, 0, 0, ARPHRD_ETHER, 65536},
};

static void add(struct nl_cache *cache, const struct device *device)
{
	struct rtnl_link *link = device->vlan ? rtnl_link_vlan_alloc() : rtnl_link_alloc();
	__u8 mac[6] = {2, 0, 0, 0, 0, device->ifindex};
	struct nl_addr *address = nl_addr_build(AF_LLC, mac, sizeof(mac));

	assert_non_null(link);
	assert_non_null(address);
	rtnl_link_set_ifindex(link, device->ifindex);
	rtnl_link_set_arptype(link, device->arptype);
	rtnl_link_set_mtu(link, device->mtu);
	rtnl_link_set_addr(link, address);
	if (device->vlan) {
		rtnl_link_set_link(link, device->below);
		assert_int_equal(rtnl_link_vlan_set_id(link, device->vlan), 0);
	}
	assert_int_equal(nl_cache_add(cache, (struct nl_object *)link), 0);
	nl_addr_put(address);
	rtnl_link_put(link);
}

static struct next_hop find(int ifindex, __u32 route_mtu)
{
	struct next_hop hop = {.state = NEXT_HOP_NO_NEIGHBOUR};
	struct rtnl_route *route = rtnl_route_alloc();
	struct nl_cache *cache;

	assert_non_null(route);
	assert_int_equal(nl_cache_alloc_name("route/link", &cache), 0);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		add(cache, &devices[i]);
	if (route_mtu)
		assert_int_equal(rtnl_route_set_metric(route, RTAX_MTU, route_mtu), 0);
	egress_find(NULL, cache, ifindex, route, &hop);
	nl_cache_free(cache);
	rtnl_route_put(route);
	return hop;
}

static void devices_and_tags(void **state)
{
	static const struct {
		const char *label;
		int ifindex;
		enum next_hop_state state;
		__u32 egress_ifindex;
		__u8 mac;
		__u16 outer, inner, mtu_bytes;
	} cases[] = {
		{"plain", 2, NEXT_HOP_NO_NEIGHBOUR, 2, 2, 0, 0, 1600},
		{"VLAN", 3, NEXT_HOP_NO_NEIGHBOUR, 2, 3, 100, 0, 1500},
		{"VLAN in VLAN", 4, NEXT_HOP_NO_NEIGHBOUR, 2, 4, 100, 7, 1496},
		{"three tags", 5, NEXT_HOP_NO_ROUTE, 3, 5, 7, 9, 1492},
		{"no MAC address", 6, NEXT_HOP_NOT_ETHERNET, 6, 0, 0, 0, 1400},
		{"MTU of 64 KB", 7, NEXT_HOP_NO_NEIGHBOUR, 7, 7, 0, 0, 65535},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct next_hop hop = find(cases[i].ifindex, 0);

		if (hop.state != cases[i].state || hop.egress_ifindex != cases[i].egress_ifindex ||
		    hop.egress_mac[5] != cases[i].mac || hop.vlan[0] != cases[i].outer ||
		    hop.vlan[1] != cases[i].inner || hop.mtu_bytes != cases[i].mtu_bytes)
			fail_msg("%s: state %d, interface %u, MAC ..:%02x, tags %u %u, MTU %u",
				 cases[i].label, hop.state, hop.egress_ifindex, hop.egress_mac[5],
				 hop.vlan[0], hop.vlan[1], hop.mtu_bytes);
	}
}

static void route_says_less(void **state)
{
	(void)state;
	assert_int_equal(find(2, 1400).mtu_bytes, 1400);
	assert_int_equal(find(3, 1400).mtu_bytes, 1400);
	assert_int_equal(find(2, 9000).mtu_bytes, 1600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_and_tags),
		cmocka_unit_test(route_says_less),
	};

	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
