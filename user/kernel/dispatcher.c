/* SPDX-License-Identifier: GPL-2.0-only */
#include "dispatcher.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

/* BTF of "int probe(struct xdp_md *ctx)"; its type id is returned, or a negative errno. */
static int describe_probe(struct btf *btf)
{
	int result = btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED);
	int context = btf__add_ptr(btf, btf__add_struct(btf, "xdp_md", sizeof(struct xdp_md)));
	int prototype = btf__add_func_proto(btf, result);
	int err = btf__add_func_param(btf, "ctx", context);

	if (err)
		return err;
	return btf__add_func(btf, "probe", BTF_FUNC_GLOBAL, prototype);
}

static int load_probe(enum bpf_prog_type type, int btf_fd, __u32 type_id, int target_fd)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_func_info function = {.type_id = type_id};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = btf_fd, .func_info = &function,
		    .func_info_cnt = 1, .func_info_rec_size = sizeof(function));
	int fd;

	if (type == BPF_PROG_TYPE_EXT) {
		options.attach_prog_fd = target_fd;
		options.attach_btf_id = type_id;
	}
	fd = bpf_prog_load(type, "probe", "GPL", pass, sizeof(pass) / sizeof(pass[0]), &options);
	return fd < 0 ? -errno : fd;
}

int dispatcher_probe(void)
{
	struct btf *btf = btf__new_empty();
	int replacement;
	int target;
	int type_id;
	int err;

	if (!btf)
		return -errno;
	type_id = describe_probe(btf);
	err = type_id < 0 ? type_id : btf__load_into_kernel(btf);
	if (err)
		goto out;
	target = load_probe(BPF_PROG_TYPE_XDP, btf__fd(btf), type_id, -1);
	if (target < 0) {
		err = target;
		goto out;
	}
	replacement = load_probe(BPF_PROG_TYPE_EXT, btf__fd(btf), type_id, target);
	if (replacement < 0)
		err = replacement;
	else
		close(replacement);
	close(target);
out:
	btf__free(btf);
	return err;
}

static bool runs_dispatcher(const struct xdp_device *device)
{
	struct own_program program;

	return !own_describe(device->program_id, &program) &&
	       !strcmp(program.name, "xdp_dispatcher");
}

/* The program that link @id puts into the dispatcher @target_id; 0: it does something else. */
static __u32 linked_program(__u32 id, __u32 target_id)
{
	struct bpf_link_info info = {};
	__u32 info_bytes = sizeof(info);
	int fd = bpf_link_get_fd_by_id(id);
	int err;

	if (fd < 0)
		return 0;
	err = bpf_obj_get_info_by_fd(fd, &info, &info_bytes);
	close(fd);
	if (err || info.type != BPF_LINK_TYPE_TRACING || info.tracing.target_obj_id != target_id)
		return 0;
	return info.prog_id;
}

/*
 * The links are asked, not libxdp: each xdp_multiprog__get_from_ifindex() of libxdp 1.3.1 leaves
 * file descriptors of the dispatcher and its programs open, which keeps them alive.
 */
int dispatcher_find(const struct xdp_device *device, const struct own_programs *own,
		    enum attach_role *role, __u32 *program_id)
{
	__u32 id = 0;

	if (!runs_dispatcher(device))
		return -ENOENT;
	*program_id = 0;
	while (!*program_id && !bpf_link_get_next_id(id, &id)) {
		__u32 linked = linked_program(id, device->program_id);

		if (linked && own_recognise(own, linked, false, role))
			*program_id = linked;
	}
	return 0;
}

/*
 * libxdp falls back to attaching a program alone, by netlink and without a word, when it cannot
 * make a dispatcher. A link does that better, so undo it.
 */
static int refuse_fallback(const struct xdp_device *device, struct xdp_program *program,
			   enum xdp_attach_mode mode)
{
	struct xdp_device now;
	int err = xdp_device_find(device->name, &now);

	if (err)
		return err;
	if (runs_dispatcher(&now))
		return 0;
	xdp_program__detach(program, device->ifindex, mode, 0);
	return -EOPNOTSUPP;
}

int dispatcher_attach(const struct xdp_device *device, enum attach_mode mode,
		      const struct attach_request *request)
{
	enum xdp_attach_mode xdp_mode = mode == ATTACH_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE;
	struct xdp_program *program;
	struct bpf_object *object;
	int err;

	object = request->open_object(request->context);
	if (!object)
		return -errno;
	/* By name: an object may hold more programs than the one that packets meet. */
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, .obj = object,
			    .prog_name = attach_role_name(request->role));
	program = xdp_program__create(&options);
	err = libxdp_get_error(program);
	if (err)
		goto out;
	err = xdp_program__attach(program, device->ifindex, xdp_mode, 0);
	if (!err)
		err = refuse_fallback(device, program, xdp_mode);
	xdp_program__close(program);
out:
	bpf_object__close(object);
	return err;
}

int dispatcher_detach(const struct xdp_device *device, __u32 program_id)
{
	struct xdp_program *program = xdp_program__from_id(program_id);
	int err = libxdp_get_error(program);

	if (err)
		return err;
	err = xdp_program__detach(program, device->ifindex,
				  device->mode == ATTACH_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE,
				  0);
	xdp_program__close(program);
	return err;
}
