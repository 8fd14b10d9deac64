/* SPDX-License-Identifier: GPL-2.0-only */
/* What people write and read: words for values, and what names, regions and addresses may be. */
#include "model.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

struct word {
	const char *name;
	int value;
};

static const struct word protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{NULL, 0},
};

static const struct word forwards[] = {
	{"dsr", FORWARD_DSR},
	{"ipip", FORWARD_IPIP},
	{"gue", FORWARD_GUE},
	{NULL, 0},
};

static const struct word priorities[] = {
	{"P0", 0},
	{"P1", 1},
	{"P2", SERVICE_PRIORITY_MAX},
	{NULL, 0},
};

/* Those an operator may ask for. */
static const struct word backend_states[] = {
	{"up", BACKEND_UP},
	{"drain", BACKEND_DRAIN},
	{"down", BACKEND_DOWN},
	{NULL, 0},
};

static const struct word other_backend_states[] = {
	{"free", BACKEND_FREE},
	{"gone", BACKEND_GONE},
	{NULL, 0},
};

static const struct word next_hop_states[] = {
	{"unknown", NEXT_HOP_UNKNOWN},
	{"resolved", NEXT_HOP_RESOLVED},
	{"no route", NEXT_HOP_NO_ROUTE},
	{"no neighbour", NEXT_HOP_NO_NEIGHBOUR},
	{"not ethernet", NEXT_HOP_NOT_ETHERNET},
	{"local", NEXT_HOP_LOCAL},
	{NULL, 0},
};

static const struct word *word_by_value(const struct word *words, int value)
{
	while (words->name && words->value != value)
		words++;
	return words->name ? words : NULL;
}

static const struct word *word_by_name(const struct word *words, const char *name)
{
	while (words->name && strcmp(words->name, name))
		words++;
	return words->name ? words : NULL;
}

static const char *name_of(const struct word *words, int value)
{
	const struct word *word = word_by_value(words, value);

	return word ? word->name : "unknown";
}

const char *protocol_name(__u8 protocol)
{
	return name_of(protocols, protocol);
}

const char *forward_name(enum forward_mode forward)
{
	return name_of(forwards, forward);
}

const char *backend_state_name(enum backend_state state)
{
	const struct word *word = word_by_value(backend_states, state);

	return word ? word->name : name_of(other_backend_states, state);
}

const char *next_hop_state_name(enum next_hop_state state)
{
	return name_of(next_hop_states, state);
}

int protocol_parse(const char *text, __u8 *protocol)
{
	const struct word *word = word_by_name(protocols, text);

	if (!word)
		return -EINVAL;
	*protocol = word->value;
	return 0;
}

const char *priority_name(__u8 priority)
{
	return name_of(priorities, priority);
}

int priority_parse(const char *text, __u8 *priority)
{
	const struct word *word = word_by_name(priorities, text);

	if (!word)
		return -EINVAL;
	*priority = word->value;
	return 0;
}

int forward_parse(const char *text, enum forward_mode *forward)
{
	const struct word *word = word_by_name(forwards, text);

	if (!word)
		return -EINVAL;
	*forward = word->value;
	return 0;
}

int backend_state_parse(const char *text, enum backend_state *state)
{
	const struct word *word = word_by_name(backend_states, text);

	if (!word)
		return -EINVAL;
	*state = word->value;
	return 0;
}

bool model_name_valid(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < NAME_BYTES && isalnum((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:") ==
		       length;
}

static bool has_control_characters(const char *text)
{
	while (*text && !iscntrl((unsigned char)*text))
		text++;
	return *text != '\0';
}

bool model_node_valid(const char *node)
{
	return *node && strlen(node) < NAME_BYTES && !has_control_characters(node);
}

bool model_region_valid(const char *region)
{
	return strlen(region) < REGION_BYTES && !has_control_characters(region);
}

static const char *ipv4_unusable(__u32 address)
{
	if (address == INADDR_ANY)
		return "the unspecified address";
	if (address >> 24 == IN_LOOPBACKNET)
		return "a loopback address";
	if (IN_MULTICAST(address))
		return "a multicast address";
	if (address == INADDR_BROADCAST)
		return "the broadcast address";
	return NULL;
}

static const char *ipv6_unusable(const __be32 word[4])
{
	if (!(word[0] | word[1] | word[2])) {
		if (word[3] == 0)
			return "the unspecified address";
		if (word[3] == htonl(1))
			return "a loopback address";
	}
	/* ff00::/8, RFC 4291 section 2.7 */
	if (ntohl(word[0]) >> 24 == 0xff)
		return "a multicast address";
	return NULL;
}

const char *model_address_unusable(const struct address *address)
{
	if (address_is_ipv4(address))
		return ipv4_unusable(ntohl(address->word[3]));
	return ipv6_unusable(address->word);
}

const char *backend_state_found(const struct model_backend *backend)
{
	return backend->failed ? "failed" : backend_state_name(backend->state);
}
