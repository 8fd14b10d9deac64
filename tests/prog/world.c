/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/mount.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <jansson.h>

#include "maps/control.h"
#include "maps/hash.h"
#include "maps/service.h"
#include "user/kernel/node.h"
#include "world.h"

#define PIN_ROOT "/sys/fs/bpf"

const struct path near_ipv4 = {
	"10.0.1.2", "10.0.1.1", {{2, 0, 0, 4, 1, 2}}, {{2, 0, 0, 0, 1, 0}}, XDP_TX,
};
const struct path near_ipv6 = {
	"fd00:0:0:1::2", "fd00:0:0:1::1", {{2, 0, 0, 6, 1, 2}}, {{2, 0, 0, 0, 1, 0}}, XDP_TX,
};
const struct path far_ipv4 = {
	"10.0.2.2", "10.0.2.1", {{2, 0, 0, 4, 2, 2}}, {{2, 0, 0, 0, 2, 0}}, XDP_REDIRECT,
};
const struct path far_ipv6 = {
	"fd00:0:0:2::2", "fd00:0:0:2::1", {{2, 0, 0, 6, 2, 2}}, {{2, 0, 0, 0, 2, 0}}, XDP_REDIRECT,
};
/* Behind a router, which is FAR's neighbour 9. */
const struct path routed_ipv4 = {
	"10.9.0.2", "10.0.2.1", {{2, 0, 0, 4, 2, 9}}, {{2, 0, 0, 0, 2, 0}}, XDP_REDIRECT,
};

static char pin[64];
static __u32 near_ifindex;
static cpu_set_t allowed_cpus;

/* Programs that were opened from pins; a pin that is replaced must be opened anew. */
static struct {
	char path[96];
	int fd;
} opened[16];

static void run(const char *command)
{
	char output[2048];
	FILE *pipe = popen(command, "r");
	size_t bytes;
	int status;

	if (!pipe)
		fail_msg("cannot run '%s': %s", command, strerror(errno));
	bytes = fread(output, 1, sizeof(output) - 1, pipe);
	output[bytes] = '\0';
	status = pclose(pipe);
	if (status)
		fail_msg("'%s' failed (status %#x): %s", command, status, output);
}

static const char *sluice_binary(void)
{
	const char *binary = getenv("SLUICE");

	return binary ? binary : "build/sluice";
}

void sluice(const char *format, ...)
{
	char arguments[512], command[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(arguments, sizeof(arguments), format, list);
	va_end(list);
	snprintf(command, sizeof(command), "'%s' --pin %s %s 2>&1", sluice_binary(), pin,
		 arguments);
	run(command);
}

void ip(const char *format, ...)
{
	char arguments[512], command[600];
	va_list list;

	va_start(list, format);
	vsnprintf(arguments, sizeof(arguments), format, list);
	va_end(list);
	snprintf(command, sizeof(command), "ip %s 2>&1", arguments);
	run(command);
}

/* One device with ten neighbours; the other end of the pair only makes it work. */
static void make_device(const char *device, unsigned int number)
{
	unsigned int host;

	ip("link add %s address 02:00:00:00:0%u:00 mtu 1500 type veth peer name peer%u", device,
	   number, number);
	ip("link set peer%u up", number);
	ip("link set %s up", device);
	ip("address add 10.0.%u.1/24 dev %s", number, device);
	ip("address add fd00:0:0:%u::1/64 dev %s nodad", number, device);
	for (host = 2; host < 10; host++) {
		ip("neighbour add 10.0.%u.%u lladdr 02:00:00:04:0%u:0%u dev %s", number, host,
		   number, host, device);
		ip("neighbour add fd00:0:0:%u::%u lladdr 02:00:00:06:0%u:0%u dev %s", number, host,
		   number, host, device);
	}
}

int world_make(void)
{
	sched_getaffinity(0, sizeof(allowed_cpus), &allowed_cpus);
	world_cpu(0);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", PIN_ROOT, "bpf", 0, NULL)) {
		print_error("cannot make namespaces: %s\n", strerror(errno));
		return -1;
	}
	ip("link set lo up");
	make_device(NEAR, 1);
	make_device(FAR, 2);
	ip("route add 10.9.0.0/24 via 10.0.2.9");
	near_ifindex = if_nametoindex(NEAR);
	return 0;
}

int world_open(void **state)
{
	(void)state;
	if (world_make())
		return -1;
	world_load("main", "");
	return 0;
}

int world_close(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(opened) / sizeof(opened[0]) && opened[i].fd; i++)
		close(opened[i].fd);
	return 0;
}

void world_use(const char *instance)
{
	snprintf(pin, sizeof(pin), PIN_ROOT "/slprog%d%s", getpid(), instance);
}

int world_use_main(void **state)
{
	(void)state;
	world_use("main");
	return 0;
}

const char *world_pin(void)
{
	return pin;
}

void world_load(const char *instance, const char *config)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	int file = mkstemp(path);

	assert_true(file >= 0);
	assert_int_equal(write(file, config, strlen(config)), strlen(config));
	close(file);
	world_use(instance);
	sluice("load --config %s; rc=$?; rm %s; exit $rc", path, path);
}

bool world_cpu(unsigned int number)
{
	cpu_set_t one;
	int cpu;

	CPU_ZERO(&one);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed_cpus) && number-- == 0) {
			CPU_SET(cpu, &one);
			return !sched_setaffinity(0, sizeof(one), &one);
		}
	}
	return false;
}

int world_pinned(const char *name)
{
	char path[96];
	size_t i;

	snprintf(path, sizeof(path), "%s/%s", pin, name);
	for (i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
		if (!opened[i].fd) {
			opened[i].fd = bpf_obj_get(path);
			if (opened[i].fd < 0)
				fail_msg("cannot open %s: %s", path, strerror(errno));
			strcpy(opened[i].path, path);
		}
		if (!strcmp(opened[i].path, path))
			return opened[i].fd;
	}
	fail_msg("too many pins");
	return -1;
}

__u32 world_place(const char *vip, __u16 port, __u8 protocol)
{
	const struct layout *layout;
	struct control control;
	__u32 zero = 0;
	__u64 address[2] = {};

	assert_int_equal(bpf_map_lookup_elem(world_pinned("control"), &zero, &control), 0);
	layout = &control.layout[control.generation & 1];
	if (strchr(vip, ':')) {
		inet_pton(AF_INET6, vip, address);
	} else {
		memset((__u8 *)address + 10, 0xff, 2);
		inet_pton(AF_INET, vip, (__u8 *)address + 12);
	}
	return hash_service(&layout->key, address[0], address[1], htons(port), protocol) >>
	       (64 - SERVICE_TABLE_BITS);
}

int world_run(const char *program, struct frame *frame)
{
	struct xdp_md context = {
		.data_end = frame->length_bytes,
		.ingress_ifindex = near_ifindex,
	};
	struct frame in = *frame;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.bytes,
		    .data_size_in = in.length_bytes, .data_out = frame->bytes,
		    .data_size_out = sizeof(frame->bytes), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);
	int err = bpf_prog_test_run_opts(world_pinned(program), &options);

	if (err)
		fail_msg("cannot run %s on %u bytes: %s", program, in.length_bytes, strerror(-err));
	frame->length_bytes = options.data_size_out;
	return options.retval;
}

int world_send(struct frame *frame)
{
	return world_run("lb", frame);
}

json_t *sluice_json(const char *arguments)
{
	char command[1024];
	json_error_t error;
	json_t *root;
	FILE *pipe;

	snprintf(command, sizeof(command), "'%s' --pin %s --json %s", sluice_binary(), pin,
		 arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	root = json_loadf(pipe, JSON_DISABLE_EOF_CHECK, &error);
	if (pclose(pipe) || !root)
		fail_msg("'%s' gave no JSON: %s", command, error.text);
	return root;
}

static bool row_has(const json_t *row, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(row, key));

	return !text || (value && !strcmp(value, text));
}

static struct counts add_rows(const char *part, const char *key, const char *text,
			      const char *backend)
{
	json_t *root = sluice_json("stats");
	json_t *rows = json_object_get(root, part);
	struct counts sum = {};
	size_t i, found = 0;

	for (i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (!row_has(row, key, text) || !row_has(row, "backend", backend))
			continue;
		found++;
		sum.packets += json_integer_value(json_object_get(row, "packets"));
		sum.bytes += json_integer_value(json_object_get(row, "bytes"));
		sum.new_flows += json_integer_value(json_object_get(row, "new_flows"));
		sum.open_flows += json_integer_value(json_object_get(row, "open_flows"));
		sum.established += json_integer_value(json_object_get(row, "established"));
		sum.syn_retransmits += json_integer_value(json_object_get(row, "syn_retransmits"));
	}
	json_decref(root);
	if (!found)
		fail_msg("`sluice stats` has nothing of %s %s", part, text);
	return sum;
}

struct counts service_counts(const char *service)
{
	return add_rows("services", "service", service, NULL);
}

struct counts backend_counts(const char *service, const char *backend)
{
	return add_rows("backends", "service", service, backend);
}

struct counts drop_counts(const char *reason)
{
	return add_rows("drops", "reason", reason, NULL);
}

struct node_counters node_counts(void)
{
	struct node_counters sum;

	assert_int_equal(node_counters_read(pin, &sum), 0);
	return sum;
}

void assert_dropped(const char *name, const struct frame *frame, const char *reason)
{
	struct counts of_reason = drop_counts(reason);
	struct counts all = drop_counts(NULL);
	struct frame out = *frame;
	int verdict = world_send(&out);

	if (verdict != XDP_DROP)
		fail_msg("%s: verdict %d, expected XDP_DROP", name, verdict);
	assert_frame(name, &out, frame);
	if (drop_counts(reason).packets != of_reason.packets + 1 ||
	    drop_counts(reason).bytes != of_reason.bytes + frame->length_bytes)
		fail_msg("%s: the drop is not counted as %s", name, reason);
	if (drop_counts(NULL).packets != all.packets + 1)
		fail_msg("%s: the drop is counted as something else, too", name);
}
