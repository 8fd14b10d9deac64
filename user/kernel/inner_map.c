/* SPDX-License-Identifier: GPL-2.0-only */
#include "inner_map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

static size_t whole_pages(size_t bytes)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);

	return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

static int fill(int fd, const void *values, size_t bytes)
{
	void *memory = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, values, bytes);
	munmap(memory, whole_pages(bytes));
	return 0;
}

int inner_map_put(int outer_fd, __u32 half, const char *name, const void *values,
		  size_t value_bytes, size_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	int err, fd;

	if (!count)
		return bpf_map_delete_elem(outer_fd, &half) && errno != ENOENT ? -errno : 0;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), value_bytes, count, &options);
	if (fd < 0)
		return fd;
	err = fill(fd, values, value_bytes * count);
	if (!err && bpf_map_update_elem(outer_fd, &half, &fd, BPF_ANY))
		err = -errno;
	close(fd);
	return err;
}

int inner_map_view(int outer_fd, __u32 half, struct inner_view *view)
{
	struct bpf_map_info info = {};
	__u32 info_bytes = sizeof(info), id;
	void *memory;
	int err = 0, fd;

	memset(view, 0, sizeof(*view));
	if (bpf_map_lookup_elem(outer_fd, &half, &id))
		return errno == ENOENT ? 0 : -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_bytes)) {
		err = -errno;
		goto out;
	}
	view->bytes = whole_pages((size_t)info.value_size * info.max_entries);
	memory = mmap(NULL, view->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		err = -errno;
		goto out;
	}
	view->values = memory;
	view->count = info.max_entries;
out:
	close(fd);
	return err;
}

void inner_map_leave(struct inner_view *view)
{
	if (view->values)
		munmap((void *)view->values, view->bytes);
	view->values = NULL;
}
