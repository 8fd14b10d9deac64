/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers that the balancer gives itself: echo replies for a VIP, and the ICMP error that tells a
 * client which packets fit the way to its backend.
 *
 * Both are subprograms: they are called rarely and must cost the other packets nothing. Both have a
 * budget, so that nobody can make a balancer do little else, or aim its answers at somebody.
 */
#ifndef SLUICE_BPF_ICMP_H
#define SLUICE_BPF_ICMP_H

#include <stddef.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "../maps/maps.bpf.h"
#include "checksum.h"
#include "drop.h"
#include "frame_sum.h"
#include "packet.h"

/* Answers a CPU may give, of each kind. Set by the loader. */
const volatile __u32 icmp_per_jiffy = 4;
const volatile __u32 icmp_burst = 1000;

/* <linux/icmp.h> would bring libc's headers along, which are not for this target. */
enum {
	ICMPV4_ECHO_REPLY = 0,
	ICMPV4_UNREACHABLE = 3,
	ICMPV4_FRAGMENTATION_NEEDED = 4, /* a code of the type above */
};

#define ANSWER_TTL     64
#define IPV4_BYTES_MAX 576  /* of an error (RFC 1812, 4.3.2.3) */
#define IPV6_BYTES_MAX 1280 /* of an error (RFC 4443, 3.2), and the least MTU of any link */
#define IPV4_MTU_MIN   68   /* RFC 791, 3.2 */
#define IPV4_DF        0x4000

/* ICMP's own header, alike in both families. */
struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 rest; /* an echo's id and number, an error's MTU */
};

struct echo_ipv4 {
	struct iphdr ip;
	struct icmp_head icmp;
};

struct echo_ipv6 {
	struct ipv6hdr ip;
	struct icmp_head icmp;
};

/* From the IP header to what an echo reply takes over as it came. */
#define ECHO_REST_IPV4 offsetof(struct echo_ipv4, icmp.rest)
#define ECHO_REST_IPV6 offsetof(struct echo_ipv6, icmp.rest)

struct error_ipv4 {
	struct iphdr ip;
	struct icmp_head icmp;
	struct iphdr quoted;
};

struct error_ipv6 {
	struct ipv6hdr ip;
	struct icmp_head icmp;
	struct ipv6hdr quoted;
};

/* Before the quote. */
#define ERROR_HEADERS_IPV4 offsetof(struct error_ipv4, quoted)
#define ERROR_HEADERS_IPV6 offsetof(struct error_ipv6, quoted)

/* RFC 8200, 8.1. Source and destination may be swapped: the sum stays. */
static __always_inline __u64 add_pseudo_header(const struct ipv6hdr *ip, __u32 message_bytes)
{
	return add_words(bpf_htons(IPPROTO_ICMPV6) + bpf_htons(message_bytes), &ip->saddr,
			 2 * sizeof(ip->saddr));
}

static __always_inline void seal_ipv4(struct iphdr *ip)
{
	ip->check = 0;
	ip->check = ~fold(add_words(0, ip, sizeof(*ip)));
}

static __always_inline __u32 filled(__u32 left, __u64 more)
{
	return left + more < icmp_burst ? left + more : icmp_burst;
}

/* What this CPU may still answer, of both kinds. */
static __always_inline struct cpu_memory *fill_budgets(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_memory *memory = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 now = bpf_jiffies64();

	if (memory && now > memory->answers_jiffies) {
		__u64 more = (now - memory->answers_jiffies) * icmp_per_jiffy;

		memory->answers_jiffies = now;
		memory->echoes_left = filled(memory->echoes_left, more);
		memory->errors_left = filled(memory->errors_left, more);
	}
	return memory;
}

/*
 * Is the packet from one machine to one machine (RFC 1122, 3.2.2)? Not from a network, a loopback,
 * a group or everybody; nor from the VIP itself, which would answer us in turn.
 */
static __always_inline bool ipv4_may_be_answered(const struct iphdr *ip)
{
	__u8 first = bpf_ntohl(ip->saddr) >> 24;

	return first != 0 && first != 127 && first >> 4 != 14 && ip->saddr != 0xffffffff &&
	       ip->saddr != ip->daddr;
}

/* The first half is 0 in ::, ::1 and what stands for an IPv4 address. */
static __always_inline bool ipv6_may_be_answered(const struct ipv6hdr *ip)
{
	const __u64 *source = (const void *)&ip->saddr;
	const __u64 *destination = (const void *)&ip->daddr;

	return source[0] && ip->saddr.s6_addr[0] != 0xff &&
	       (source[0] != destination[0] || source[1] != destination[1]);
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/* The length of the IP packet if it may be answered, else 0. */
static __always_inline __u32 answerable_bytes(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	/* A frame for a group of stations has no address to answer from. */
	if (l3_bytes > L3_BYTES_MAX || (void *)(eth + 1) > end || eth->h_dest[0] & 1)
		return 0;
	if (ipv4) {
		struct iphdr *ip = data + l3_bytes;

		if ((void *)(ip + 1) > end || !ipv4_may_be_answered(ip))
			return 0;
		return bpf_ntohs(ip->tot_len);
	} else {
		struct ipv6hdr *ip = data + l3_bytes;

		if ((void *)(ip + 1) > end || !ipv6_may_be_answered(ip))
			return 0;
		return sizeof(*ip) + bpf_ntohs(ip->payload_len);
	}
}

/*
 * What of an echo request stays as it came is summed up once: with the first word of the request it
 * must give what its checksum says, with that of the reply it is the reply's. A sum of nothing but
 * zeros stays 0 that way, so the reply's checksum is what RFC 1071 makes of it (an update as in
 * RFC 1624 makes 0x0000 of 0xffff there, and receivers call that wrong).
 */
static __always_inline bool reply(struct icmp_head *icmp, __u8 type, __u64 rest_sum)
{
	if (fold(rest_sum + bpf_htons(icmp->type << 8) + icmp->check) != 0xffff)
		return false;
	icmp->type = type;
	icmp->check = ~fold(rest_sum + bpf_htons(type << 8));
	return true;
}

/*
 * Options want to be recorded in, or name the way back (RFC 1122, 3.2.2.6): such requests are the
 * stack's.
 */
static __always_inline bool reply_ipv4(struct xdp_md *ctx, __u32 l3_bytes, __u32 bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct echo_ipv4 *echo = data + l3_bytes;
	__be32 source;
	__s64 rest_sum;

	if ((void *)(echo + 1) > end || bytes < sizeof(*echo) || *(__u8 *)&echo->ip != 0x45)
		return false;
	rest_sum = sum_frame(ctx, l3_bytes + ECHO_REST_IPV4, bytes - ECHO_REST_IPV4);
	if (rest_sum < 0 || !reply(&echo->icmp, ICMPV4_ECHO_REPLY, rest_sum))
		return false;
	source = echo->ip.saddr;
	echo->ip.saddr = echo->ip.daddr;
	echo->ip.daddr = source;
	echo->ip.ttl = ANSWER_TTL;
	seal_ipv4(&echo->ip);
	return true;
}

/* Requests with extension headers are the stack's. */
static __always_inline bool reply_ipv6(struct xdp_md *ctx, __u32 l3_bytes, __u32 bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct echo_ipv6 *echo = data + l3_bytes;
	struct in6_addr source;
	__s64 rest_sum;

	if ((void *)(echo + 1) > end || bytes < sizeof(*echo) || echo->ip.nexthdr != IPPROTO_ICMPV6)
		return false;
	rest_sum = sum_frame(ctx, l3_bytes + ECHO_REST_IPV6, bytes - ECHO_REST_IPV6);
	if (rest_sum < 0)
		return false;
	rest_sum += add_pseudo_header(&echo->ip, bytes - sizeof(echo->ip));
	if (!reply(&echo->icmp, ICMPV6_ECHO_REPLY, rest_sum))
		return false;
	source = echo->ip.saddr;
	echo->ip.saddr = echo->ip.daddr;
	echo->ip.daddr = source;
	echo->ip.hop_limit = ANSWER_TTL;
	return true;
}

/*
 * Answer an echo request to a VIP. The caller has checked that it is one (type and code, no
 * fragment), that its lengths do not lie, and the IPv4 header's checksum; the IP header begins
 * @l3_bytes into the frame. A request whose own checksum is wrong goes to the stack as it came, as
 * does what may not be answered.
 */
__noinline int answer_echo(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4)
{
	__u32 bytes = answerable_bytes(ctx, l3_bytes, ipv4);
	struct cpu_memory *memory = fill_budgets();
	void *data, *end;

	if (!bytes)
		return XDP_PASS;
	if (!memory || !memory->echoes_left)
		return drop(DROP_ECHO_LIMIT);
	memory->echoes_left--;
	if (!(ipv4 ? reply_ipv4(ctx, l3_bytes, bytes) : reply_ipv6(ctx, l3_bytes, bytes)))
		return XDP_PASS;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(struct ethhdr) > end)
		return XDP_PASS;
	swap_macs(data);
	memory->echo_replies++;
	return XDP_TX;
}

/* Ethernet and its tags move to the front of a frame that has grown there, turned round. */
static __always_inline bool move_front(void *data, void *end, __u32 grown_bytes)
{
	if (data + grown_bytes + L3_BYTES_MAX > end)
		return false;
	__builtin_memcpy(data, data + grown_bytes, L3_BYTES_MAX);
	swap_macs(data);
	return true;
}

/* With the precedence of network control, as RFC 1812, 4.3.2.5 would have it. */
static __always_inline bool write_error_ipv4(struct xdp_md *ctx, __u32 l3_bytes, __u32 mtu_bytes,
					     __u32 quote_bytes, __u64 quote_sum)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct error_ipv4 *error = data + l3_bytes;

	if (!move_front(data, end, ERROR_HEADERS_IPV4) || (void *)(error + 1) > end)
		return false;
	error->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = 0xc0,
		.tot_len = bpf_htons(ERROR_HEADERS_IPV4 + quote_bytes),
		.frag_off = bpf_htons(IPV4_DF),
		.ttl = ANSWER_TTL,
		.protocol = IPPROTO_ICMP,
		.saddr = error->quoted.daddr,
		.daddr = error->quoted.saddr,
	};
	seal_ipv4(&error->ip);
	error->icmp = (struct icmp_head){
		.type = ICMPV4_UNREACHABLE,
		.code = ICMPV4_FRAGMENTATION_NEEDED,
		.rest = bpf_htonl(mtu_bytes), /* its lower half (RFC 1191, 4) */
	};
	error->icmp.check = ~fold(quote_sum + add_words(0, &error->icmp, sizeof(error->icmp)));
	return true;
}

static __always_inline bool write_error_ipv6(struct xdp_md *ctx, __u32 l3_bytes, __u32 mtu_bytes,
					     __u32 quote_bytes, __u64 quote_sum)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct error_ipv6 *error = data + l3_bytes;
	__u32 message_bytes = sizeof(error->icmp) + quote_bytes;

	if (!move_front(data, end, ERROR_HEADERS_IPV6) || (void *)(error + 1) > end)
		return false;
	error->ip = (struct ipv6hdr){
		.version = 6,
		.payload_len = bpf_htons(message_bytes),
		.nexthdr = IPPROTO_ICMPV6,
		.hop_limit = ANSWER_TTL,
		.saddr = error->quoted.daddr,
		.daddr = error->quoted.saddr,
	};
	error->icmp = (struct icmp_head){
		.type = ICMPV6_PKT_TOOBIG,
		.rest = bpf_htonl(mtu_bytes),
	};
	error->icmp.check = ~fold(quote_sum + add_words(0, &error->icmp, sizeof(error->icmp)) +
				  add_pseudo_header(&error->ip, message_bytes));
	return true;
}

/* Cut the packet of @bytes to what is quoted, put two headers before it. */
static __always_inline bool make_error(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4, __u32 bytes,
				       __u32 mtu_bytes)
{
	__u32 header_bytes = ipv4 ? ERROR_HEADERS_IPV4 : ERROR_HEADERS_IPV6;
	__u32 quote_bytes = (ipv4 ? IPV4_BYTES_MAX : IPV6_BYTES_MAX) - header_bytes;
	__u32 frame_bytes = bpf_xdp_get_buff_len(ctx);
	__s32 least_bytes = ipv4 ? IPV4_MTU_MIN : IPV6_BYTES_MAX;
	__s64 quote_sum;

	if (quote_bytes > bytes)
		quote_bytes = bytes;
	if (quote_bytes > frame_bytes - l3_bytes) /* the packet is a quote itself */
		quote_bytes = frame_bytes - l3_bytes;
	if ((__s32)mtu_bytes < least_bytes)
		mtu_bytes = least_bytes;
	quote_sum = sum_frame(ctx, l3_bytes, quote_bytes);
	if (quote_sum < 0)
		return false;
	/* To cut nothing off would be to grow by 0, which not every driver can. */
	if (frame_bytes != l3_bytes + quote_bytes &&
	    bpf_xdp_adjust_tail(ctx, (int)(l3_bytes + quote_bytes) - (int)frame_bytes))
		return false;
	if (bpf_xdp_adjust_head(ctx, -(int)header_bytes))
		return false;
	return ipv4 ? write_error_ipv4(ctx, l3_bytes, mtu_bytes, quote_bytes, quote_sum)
		    : write_error_ipv6(ctx, l3_bytes, mtu_bytes, quote_bytes, quote_sum);
}

/*
 * Tell the sender of a packet that it is too long for the way to its backend, which carries packets
 * of @mtu_bytes. The caller has not changed the packet yet, so that the quote is what the sender
 * sent, does not call for ICMP errors or later fragments (RFC 1122, 3.2.2), and counts the packet as
 * lost, whether or not its sender is told.
 */
__noinline int answer_too_big(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4, __u32 mtu_bytes)
{
	__u32 bytes = answerable_bytes(ctx, l3_bytes, ipv4);
	struct cpu_memory *memory = fill_budgets();

	if (!bytes || !memory || !memory->errors_left)
		return XDP_DROP;
	memory->errors_left--;
	if (!make_error(ctx, l3_bytes, ipv4, bytes, mtu_bytes))
		return XDP_DROP;
	memory->too_big_errors++;
	return XDP_TX;
}

#endif
