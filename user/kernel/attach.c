/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "complaint.h"
#include "dispatcher.h"
#include "link.h"
#include "own.h"
#include "scene.h"
#include "xdp_device.h"

static int open_own(const char *pin_dir, struct own_programs *own, struct text_error *error)
{
	int err = own_open(pin_dir, own);

	if (err)
		text_refuse(error, err, NULL, "cannot read the programs in %s: %s", pin_dir,
			    strerror(-err));
	return err;
}

/* @what was refused: why, and what the kernel and the libraries said besides. */
static int refuse(struct text_error *error, int err, const char *what, const char *device,
		  const char *hint)
{
	const char *said = complaint_text();

	return text_refuse(error, err, NULL, "cannot %s %s: %s%s%s%s%s", what, device,
			   strerror(-err), *said ? " (" : "", said, *said ? ")" : "", hint);
}

/*
 * A link that is refused comes back with a bare errno; the same refused by netlink comes with the
 * driver's own words.
 */
static void ask_driver(const struct xdp_device *device, int program_fd, enum attach_mode mode)
{
	__u32 flags = xdp_device_flags(mode);

	complaint_forget();
	if (!bpf_xdp_attach(device->ifindex, program_fd, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		bpf_xdp_detach(device->ifindex, flags, NULL);
}

static int refuse_link(const struct xdp_device *device, int program_fd, enum attach_mode mode,
		       int err, struct text_error *error)
{
	char hint[96] = "";
	char what[32];

	ask_driver(device, program_fd, mode);
	if (err == -EPERM)
		strcpy(hint, "; it takes CAP_BPF and CAP_NET_ADMIN");
	else if ((err == -ERANGE || err == -EINVAL) && mode == ATTACH_NATIVE)
		snprintf(hint, sizeof(hint),
			 "; native XDP takes an MTU of about 3500 at most, here it is %u",
			 device->mtu_bytes);
	snprintf(what, sizeof(what), "attach in %s mode to", attach_mode_name(mode));
	return refuse(error, err, what, device->name, hint);
}

static void note(struct attach_result *result, const char *format, const char *reason)
{
	size_t used = strlen(result->note);

	if (used)
		used += snprintf(result->note + used, sizeof(result->note) - used, "; ");
	if (used < sizeof(result->note))
		snprintf(result->note + used, sizeof(result->note) - used, format, reason);
}

static int attach_by_link(const char *pin_dir, const struct xdp_device *device, int program_fd,
			  enum attach_mode mode, struct text_error *error)
{
	int link_fd = link_open(device, program_fd, mode);
	int err;

	if (link_fd < 0)
		return refuse_link(device, program_fd, mode, link_fd, error);
	err = link_pin(pin_dir, device->name, link_fd);
	if (err == -EEXIST)
		text_refuse(error, err, NULL,
			    "%s/links/%s is the link of another device of that name (in another "
			    "network namespace?): use another pin directory for this one",
			    pin_dir, device->name);
	else if (err)
		text_refuse(error, err, NULL, "cannot pin the link at %s/links/%s: %s", pin_dir,
			    device->name, strerror(-err));
	close(link_fd);
	return err;
}

/* Attach in one mode, in a chain if @chain and if libxdp can. */
static int attach_in_mode(const struct attach_request *request, const struct xdp_device *device,
			  int program_fd, enum attach_mode mode, bool chain,
			  struct attach_result *result, struct text_error *error)
{
	char why[128];
	int err;

	if (chain) {
		complaint_forget();
		err = dispatcher_attach(device, mode, request);
		if (!err)
			return 0;
		snprintf(why, sizeof(why), "%s",
			 *complaint_text() ? complaint_text() : strerror(-err));
	}
	err = attach_by_link(request->pin_dir, device, program_fd, mode, error);
	if (!err && chain)
		note(result, "libxdp's dispatcher failed (%s): attached alone", why);
	return err;
}

/* On a device that runs no program. */
static int attach_anew(const struct attach_request *request, const struct xdp_device *device,
		       int program_fd, struct attach_result *result, struct text_error *error)
{
	enum attach_mode mode = request->mode == ATTACH_GENERIC ? ATTACH_GENERIC : ATTACH_NATIVE;
	bool wanted = !request->alone && request->open_object;
	int refused = wanted ? dispatcher_probe() : 0;
	bool chain = wanted && !refused;
	int err;

	if (refused)
		note(result,
		     "this kernel refuses freplace programs (%s): attached alone, without "
		     "libxdp's dispatcher",
		     strerror(-refused));
	err = attach_in_mode(request, device, program_fd, mode, chain, result, error);
	if (err == -EOPNOTSUPP && request->mode == ATTACH_AUTO) {
		note(result, "the driver has no native XDP (%s): generic mode, which is slower",
		     *complaint_text() ? complaint_text() : strerror(-err));
		err = attach_in_mode(request, device, program_fd, ATTACH_GENERIC, chain, result,
				     error);
	}
	return err;
}

/* In a dispatcher both run for a moment: what the first one takes never gets to the second. */
static int replace(const struct attach_request *request, const struct scene *scene, int program_fd,
		   struct attach_result *result)
{
	const struct xdp_device *device = &scene->device;
	int err;

	switch (scene->attachment.way) {
	case ATTACH_BY_LINK:
		return bpf_link_update(scene->link_fd, program_fd, NULL) ? -errno : 0;
	case ATTACH_BY_IP_LINK:
		note(result, "it was attached with %s, and the new one still is", "ip link");
		return xdp_device_exchange(device, program_fd);
	case ATTACH_BY_DISPATCHER:
		break;
	}
	err = dispatcher_attach(device, device->mode, request);
	return err ? err : dispatcher_detach(device, scene->attachment.program_id);
}

static int refuse_foreign(const struct xdp_device *device, struct text_error *error)
{
	struct own_program foreign;

	own_describe(device->program_id, &foreign);
	return text_refuse(error, -EBUSY, NULL,
			   "%s already runs the XDP program %u (%s) in %s mode, alone: remove it, "
			   "or have it attached through libxdp's dispatcher",
			   device->name, device->program_id,
			   foreign.name[0] ? foreign.name : "without a name",
			   attach_mode_name(device->mode));
}

/* Whether what is asked for can stand where something stands already. */
static int check_fit(const struct attach_request *request, const struct scene *scene,
		     struct text_error *error)
{
	const struct xdp_device *device = &scene->device;

	if (!scene->ours && !scene->dispatcher)
		return refuse_foreign(device, error);
	if (scene->dispatcher && (request->alone || !request->open_object))
		return text_refuse(error, -EBUSY, NULL,
				   "%s runs libxdp's dispatcher, so nothing can be attached alone",
				   device->name);
	if (scene->ours && scene->attachment.role != request->role)
		return text_refuse(error, -EBUSY, NULL, "%s runs %s/%s: detach it first",
				   device->name, request->pin_dir,
				   attach_role_name(scene->attachment.role));
	if (request->mode != ATTACH_AUTO && request->mode != device->mode)
		return text_refuse(error, -EBUSY, NULL,
				   "%s runs an XDP program in %s mode: detach it first to change "
				   "to %s mode",
				   device->name, attach_mode_name(device->mode),
				   attach_mode_name(request->mode));
	return 0;
}

static int attach_to_scene(const struct attach_request *request, const struct scene *scene,
			   int program_fd, struct attach_result *result, struct text_error *error)
{
	const struct xdp_device *device = &scene->device;
	int err;

	if (!device->program_id)
		return attach_anew(request, device, program_fd, result, error);
	err = check_fit(request, scene, error);
	if (err)
		return err;
	if (scene->ours) {
		result->replaced = true;
		err = replace(request, scene, program_fd, result);
		return err ? refuse(error, err, "replace the program on", device->name, "") : 0;
	}
	err = dispatcher_attach(device, device->mode, request);
	return err ? refuse(error, err, "join the XDP dispatcher on", device->name, "") : 0;
}

int attach_program(const struct attach_request *request, struct attach_result *result,
		   struct text_error *error)
{
	struct own_programs own;
	struct scene scene;
	int program_fd;
	int err;

	memset(result, 0, sizeof(*result));
	err = open_own(request->pin_dir, &own, error);
	if (err)
		return err;
	complaint_begin();
	program_fd = own.role[request->role].fd;
	if (program_fd < 0) {
		err = text_refuse(error, -ENOENT, NULL, "there is no program %s/%s: load it first",
				  request->pin_dir, attach_role_name(request->role));
		goto out;
	}
	err = scene_open(request->pin_dir, &own, request->device, &scene, error);
	if (err)
		goto out;
	err = attach_to_scene(request, &scene, program_fd, result, error);
	scene_close(&scene);
	if (err)
		goto out;
	err = scene_open(request->pin_dir, &own, request->device, &scene, error);
	if (err)
		goto out;
	result->attachment = scene.attachment;
	scene_close(&scene);
out:
	complaint_end();
	own_close(&own);
	return err;
}

/* How whoever may do so takes a program that is not ours off its device. */
static void say_removal(const struct xdp_device *device, char text[96])
{
	static const char *const kinds[] = {[ATTACH_NATIVE] = "xdp",
					    [ATTACH_GENERIC] = "xdpgeneric",
					    [ATTACH_OFFLOAD] = "xdpoffload"};
	__u32 link = link_of_anybody(device);

	if (link)
		snprintf(text, 96, "bpftool link detach id %u", link);
	else
		snprintf(text, 96, "ip link set dev %s %s off", device->name, kinds[device->mode]);
}

static int detach_from_scene(const struct scene *scene, struct text_error *error)
{
	const struct xdp_device *device = &scene->device;
	char removal[96];
	int err = 0;

	if (!device->program_id)
		return text_refuse(error, -ENOENT, NULL, "%s runs no XDP program", device->name);
	if (!scene->ours) {
		say_removal(device, removal);
		return text_refuse(error, -ENOENT, NULL,
				   "%s runs no XDP program of ours; the one there is %u; `%s` "
				   "removes it",
				   device->name, device->program_id, removal);
	}
	switch (scene->attachment.way) {
	case ATTACH_BY_LINK:
		err = link_remove(scene->link_fd, scene->link_path);
		break;
	case ATTACH_BY_IP_LINK:
		err = xdp_device_exchange(device, -1);
		break;
	case ATTACH_BY_DISPATCHER:
		err = dispatcher_detach(device, scene->attachment.program_id);
		break;
	}
	return err ? refuse(error, err, "detach the program from", device->name, "") : 0;
}

int attach_detach(const char *pin_dir, const char *device, struct attachment *was,
		  struct text_error *error)
{
	struct own_programs own;
	struct scene scene;
	int err = open_own(pin_dir, &own, error);

	if (err)
		return err;
	complaint_begin();
	err = scene_open(pin_dir, &own, device, &scene, error);
	if (err)
		goto out;
	err = detach_from_scene(&scene, error);
	*was = scene.attachment;
	scene_close(&scene);
out:
	complaint_end();
	own_close(&own);
	/* The device, or its program, may be gone and have left the pin of its link behind. */
	if ((err == -ENODEV || err == -ENOENT) && !link_drop_stale(pin_dir, device)) {
		*was = (struct attachment){.way = ATTACH_BY_LINK};
		snprintf(was->device, sizeof(was->device), "%s", device);
		err = 0;
	}
	return err;
}

int attach_list(const char *pin_dir, struct attachment **list, size_t *count,
		struct text_error *error)
{
	struct xdp_device *devices = NULL;
	struct own_programs own;
	size_t device_count = 0;
	struct scene scene;
	int err = open_own(pin_dir, &own, error);

	if (err)
		return err;
	*count = 0;
	*list = NULL;
	err = xdp_device_list(&devices, &device_count);
	if (!err) {
		*list = calloc(device_count ? device_count : 1, sizeof(**list));
		err = *list ? 0 : -ENOMEM;
	}
	if (err) {
		text_refuse(error, err, NULL, "cannot list the devices: %s", strerror(-err));
		goto out;
	}
	complaint_begin();
	for (size_t i = 0; i < device_count; i++) {
		scene_look(pin_dir, &own, &devices[i], &scene);
		if (scene.ours)
			(*list)[(*count)++] = scene.attachment;
		scene_close(&scene);
	}
	complaint_end();
out:
	free(devices);
	own_close(&own);
	return err;
}
