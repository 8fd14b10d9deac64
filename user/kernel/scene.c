/* SPDX-License-Identifier: GPL-2.0-only */
#include "scene.h"

#include <string.h>
#include <unistd.h>
#include <errno.h>

#include "dispatcher.h"
#include "link.h"

void scene_look(const char *pin_dir, const struct own_programs *own,
		const struct xdp_device *device, struct scene *scene)
{
	struct attachment *attachment = &scene->attachment;
	bool linked;

	*scene = (struct scene){
		.device = *device,
		.link_fd = -1,
		.attachment = {.ifindex = device->ifindex, .mode = device->mode},
	};
	memcpy(attachment->device, device->name, sizeof(attachment->device));
	if (!device->program_id)
		return;

	scene->link_fd = link_find(pin_dir, device, scene->link_path);
	linked = scene->link_fd >= 0;
	if (own_recognise(own, device->program_id, linked, &attachment->role)) {
		scene->ours = true;
		attachment->way = linked ? ATTACH_BY_LINK : ATTACH_BY_IP_LINK;
		attachment->program_id = device->program_id;
	} else if (!dispatcher_find(device, own, &attachment->role, &attachment->program_id)) {
		scene->dispatcher = true;
		scene->ours = attachment->program_id != 0;
		attachment->way = ATTACH_BY_DISPATCHER;
	}
}

int scene_open(const char *pin_dir, const struct own_programs *own, const char *device,
	       struct scene *scene, struct text_error *error)
{
	struct xdp_device found;
	int err = xdp_device_find(device, &found);

	if (err == -ENODEV)
		return text_refuse(error, err, NULL, "there is no device %s", device);
	if (err)
		return text_refuse(error, err, NULL, "cannot ask for device %s: %s", device,
				   strerror(-err));
	scene_look(pin_dir, own, &found, scene);
	return 0;
}

void scene_close(struct scene *scene)
{
	if (scene->link_fd >= 0)
		close(scene->link_fd);
}
