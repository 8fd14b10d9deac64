/* SPDX-License-Identifier: GPL-2.0-only */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_policy.h"
#include "config_read.h"
#include "config_text.h"

void config_default(struct config *config)
{
	*config = (struct config){
		.load.flows_per_cpu = CONFIG_FLOWS_DEFAULT,
		.load.backends_max = CONFIG_BACKENDS_DEFAULT,
		.load.slots_max = CONFIG_SLOTS_DEFAULT,
		.load.seed = CONFIG_SEED_DEFAULT,
		.load.gue_port = GUE_PORT,
		.load.icmp_rate = CONFIG_ICMP_RATE_DEFAULT,
		.model.backends_max = CONFIG_BACKENDS_DEFAULT,
		.model.slots_max = CONFIG_SLOTS_DEFAULT,
	};
	config_agent_default(&config->agent);
	config_daemon_default(&config->daemon);
}

void config_free(struct config *config)
{
	model_free(&config->model);
	config_daemon_free(&config->daemon);
	policy_free(&config->policy);
}

__u32 config_flow_sets(__u32 flows)
{
	__u32 sets = 64;

	while ((__u64)sets * FLOW_SET_ENTRIES * 4 / 5 < flows)
		sets *= 2;
	return sets;
}

static bool read_protocol(const struct reader *reader, const char *text, __u8 *protocol)
{
	return !protocol_parse(text, protocol) || read_wrong(reader, "proto", text, "tcp or udp");
}

static bool read_forward(const struct reader *reader, const char *text, enum forward_mode *forward)
{
	return !text || !forward_parse(text, forward) ||
	       read_wrong(reader, "forward", text, "dsr, ipip or gue");
}

static bool read_priority(const struct reader *reader, const char *text, __u8 *priority)
{
	return !text || !priority_parse(text, priority) ||
	       read_wrong(reader, "priority", text, "P0, P1 or P2");
}

static bool read_state(const struct reader *reader, const char *text, enum backend_state *state)
{
	return !text || !backend_state_parse(text, state) ||
	       read_wrong(reader, "state", text, "up, drain or down");
}

static bool read_server_id(const struct reader *reader, const char *text,
			   struct quic_server_id *server_id)
{
	return !text || !server_id_parse(text, server_id) ||
	       read_wrong(reader, "server_id", text, SERVER_ID_EXPECTED);
}

/* "ADDR/LENGTH"; just "ADDR" is the prefix of one address. */
static bool parse_prefix(const char *text, bool ipv4, struct address *address, __u64 *length)
{
	__u64 length_max = ipv4 ? 32 : 128;
	size_t address_bytes = strcspn(text, "/");
	char address_text[ADDRESS_TEXT_BYTES];

	if (address_bytes >= sizeof(address_text))
		return false;
	memcpy(address_text, text, address_bytes);
	address_text[address_bytes] = '\0';
	*length = length_max;
	return !address_parse(address_text, address) && address_is_ipv4(address) == ipv4 &&
	       !model_address_unusable(address) &&
	       (!text[address_bytes] ||
		read_digits(text + address_bytes + 1, 8, length_max, length));
}

/* Host bits of one word of an address, when @length bits of all its 128 are the prefix. */
static __be32 host_bits(unsigned int word, unsigned int length)
{
	unsigned int first = word * 32;

	if (length <= first)
		return 0xffffffff;
	if (length >= first + 32)
		return 0;
	return htonl(0xffffffff >> (length - first));
}

static bool read_tunnel_source(const struct reader *reader, const char *key, const char *text,
			       bool ipv4, struct address *source, __be32 *vary)
{
	__u64 length;

	if (!text)
		return true;
	if (!parse_prefix(text, ipv4, source, &length))
		return read_wrong(reader, key, text,
				  ipv4 ? "a unicast IPv4 prefix, /8 to /32, such as 10.0.0.0/24"
				       : "a unicast IPv6 prefix, /8 to /128, such as fd00::/64");
	if (ipv4)
		length += 96;
	for (unsigned int word = 0; word < 4; word++) {
		if (source->word[word] & host_bits(word, length))
			return read_wrong(reader, key, text, "host bits that are 0");
	}
	*vary = host_bits(3, length);
	return true;
}

static bool read_load(struct reader *reader, const struct load_text *in, struct config *config)
{
	struct config_load *load = &config->load;
	__u64 flows = load->flows_per_cpu, backends = load->backends_max, slots = load->slots_max;
	__u64 gue_port = load->gue_port, icmp_rate = load->icmp_rate;

	if (!in)
		return true;
	snprintf(reader->place, sizeof(reader->place), "load");
	if (!read_number(reader, "flows_per_cpu", in->flows_per_cpu, CONFIG_FLOWS_MIN,
			 CONFIG_FLOWS_MAX, &flows) ||
	    !read_number(reader, "backends_max", in->backends_max, CONFIG_BACKENDS_MIN,
			 CONFIG_BACKENDS_MAX, &backends) ||
	    !read_number(reader, "slots_max", in->slots_max, CONFIG_SLOTS_MIN, CONFIG_SLOTS_MAX,
			 &slots) ||
	    !read_number(reader, "seed", in->seed, 0, ~0ULL, &load->seed) ||
	    !read_tunnel_source(reader, "tunnel_source_ipv4", in->tunnel_source_ipv4, true,
				&load->tunnel_source_ipv4, &load->tunnel_source_ipv4_vary) ||
	    !read_tunnel_source(reader, "tunnel_source_ipv6", in->tunnel_source_ipv6, false,
				&load->tunnel_source_ipv6, &load->tunnel_source_ipv6_vary) ||
	    !read_number(reader, "gue_port", in->gue_port, 1, 65535, &gue_port) ||
	    !read_number(reader, "icmp_rate", in->icmp_rate, 0, CONFIG_ICMP_RATE_MAX, &icmp_rate))
		return false;
	load->flows_per_cpu = flows;
	load->backends_max = backends;
	load->slots_max = slots;
	load->gue_port = gue_port;
	load->icmp_rate = icmp_rate;
	config->model.backends_max = backends;
	config->model.slots_max = slots;
	return true;
}

static bool read_region(struct reader *reader, const char *text, char region[REGION_BYTES])
{
	char expected[64];

	if (!text)
		return true;
	if (model_region_valid(text)) {
		snprintf(region, REGION_BYTES, "%s", text);
		return true;
	}
	reader->place[0] = '\0';
	snprintf(expected, sizeof(expected), "up to %d bytes, no control characters",
		 REGION_BYTES - 1);
	return read_wrong(reader, "region", text, expected);
}

static int read_backend(const struct reader *reader, const struct backend_text *in,
			const char *service, struct model *model)
{
	struct backend_request request = {
		.name = in->name,
		.node = in->node,
		.region = in->region,
		.state = BACKEND_UP,
	};
	__u64 port = 0, weight = BASE_WEIGHT_DEFAULT;
	int err;

	if (!read_address(reader, "address", in->address, &request.address) ||
	    !read_number(reader, "port", in->port, 0, 65535, &port) ||
	    !read_number(reader, "weight", in->weight, 0, 65535, &weight) ||
	    !read_state(reader, in->state, &request.state) ||
	    !read_server_id(reader, in->server_id, &request.server_id))
		return -EINVAL;
	request.port = port;
	request.base_weight = weight;
	err = model_backend_add(model, service, &request, reader->error);
	return err ? read_place_refusal(reader, err) : 0;
}

static int read_service(const struct reader *reader, const struct service_text *in,
			struct model *model)
{
	struct service_request request = {
		.name = in->name,
		.forward = FORWARD_DSR,
		.local_count = true,
	};
	__u64 slots = 0, mss = 0, idle_s = 0, server_id_bytes = 0;
	int err;

	if (!read_address(reader, "vip", in->vip, &request.vip) ||
	    !read_port_or_any(reader, "port", in->port, &request.port) ||
	    !read_protocol(reader, in->proto, &request.protocol) ||
	    !read_forward(reader, in->forward, &request.forward) ||
	    !read_number(reader, "slots", in->slots, 0, 0xffffffff, &slots) ||
	    !read_bool(reader, "local_count", in->local_count, &request.local_count) ||
	    !read_number(reader, "mss", in->mss, 0, MSS_BYTES_MAX, &mss) ||
	    !read_number(reader, "idle", in->idle, IDLE_S_MIN, IDLE_S_MAX, &idle_s) ||
	    !read_number(reader, "quic_server_id_bytes", in->quic_server_id_bytes, 0,
			 SERVER_ID_BYTES_MAX, &server_id_bytes) ||
	    !read_priority(reader, in->priority, &request.priority))
		return -EINVAL;
	request.slot_count = slots;
	request.mss_bytes = mss;
	request.idle_ms = idle_s * 1000;
	request.server_id_bytes = server_id_bytes;
	err = model_service_add(model, &request, reader->error);
	return err ? read_place_refusal(reader, err) : 0;
}

static int read_services(struct reader *reader, const struct config_text *in, struct model *model)
{
	int err = 0;

	for (unsigned int i = 0; i < in->services_count && !err; i++) {
		const struct service_text *service = &in->services[i];

		snprintf(reader->place, sizeof(reader->place), "services[%u]", i);
		err = read_service(reader, service, model);
		for (unsigned int j = 0; j < service->backends_count && !err; j++) {
			snprintf(reader->place, sizeof(reader->place), "services[%u].backends[%u]",
				 i, j);
			err = read_backend(reader, &service->backends[j], service->name, model);
		}
	}
	return err;
}

int config_parse(const char *text, size_t text_bytes, struct config *config,
		 struct text_error *error)
{
	struct reader reader = {.text = text, .text_bytes = text_bytes, .error = error};
	struct config_text *in = NULL;
	int err;

	if (text_bytes > CONFIG_BYTES_MAX)
		return text_refuse(error, -EINVAL, NULL, "got %zu bytes, expected at most %d",
				   text_bytes, CONFIG_BYTES_MAX);
	config_default(config);
	/* libyaml does not take a NULL for no text. */
	if (text_bytes) {
		err = config_text_load(text, text_bytes, &in, error);
		if (err)
			return err;
	}
	if (!in)
		return 0;

	if (read_load(&reader, in->load, config) &&
	    config_agent_read(&reader, in, &config->agent) &&
	    read_region(&reader, in->region, config->region))
		err = read_services(&reader, in, &config->model);
	else
		err = -EINVAL;
	if (!err)
		err = config_daemon_read(&reader, in, &config->daemon);
	if (!err && in->policy) {
		config->has_policy = true;
		err = config_policy_read(&reader, in->policy, &config->policy);
	}
	if (err)
		config_free(config);
	config_text_free(in);
	return err;
}
