/* SPDX-License-Identifier: GPL-2.0-only */
#include "shares.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bias.h"
#include "slots.h"

#define SHARE_ONE (1u << 30)

/* The live backends of @service are @first[0..count): the model keeps them together. */
static int share_service(const struct model_service *service, const struct model_backend *first,
			 __u32 count, const struct slots_view *view, struct share *shares)
{
	struct slot *slots = malloc((service->slots.count + 1) * sizeof(*slots));
	__u32 *by_slots = calloc(count + 1, sizeof(*by_slots));
	__u16 *bias = calloc(count + 1, sizeof(*bias));
	double sum = 0;
	__u32 unserved, i;
	int err = slots && by_slots && bias ? 0 : -ENOMEM;

	if (!err)
		err = slots_by_index(view, service->slots, first, count, slots);
	if (!err) {
		for (i = 0; i < count; i++) {
			bias[i] = backend_wanted(&first[i]) ? first[i].bias : 0;
			sum += backend_wanted(&first[i]);
		}
		err = bias_shares(slots, service->slots.count, bias, count, by_slots, &unserved);
		for (i = 0; i < count && !err; i++) {
			shares[i].wanted = sum > 0 ? backend_wanted(&first[i]) / sum : 0;
			shares[i].by_slots = (double)by_slots[i] / SHARE_ONE;
		}
	}
	free(slots);
	free(by_slots);
	free(bias);
	return err;
}

int shares_compute(const struct model *model, const struct slots_view *view, struct share *shares)
{
	size_t i = 0;
	int err = 0;

	memset(shares, 0, model->backend_count * sizeof(*shares));
	while (i < model->backend_count && model->backends[i].state != BACKEND_GONE && !err) {
		const struct model_backend *first = &model->backends[i];
		const struct model_service *service = model_service_by_id(model, first->service);
		__u32 count = 0;

		while (i + count < model->backend_count && first[count].state != BACKEND_GONE &&
		       first[count].service == first->service)
			count++;
		if (service)
			err = share_service(service, first, count, view, &shares[i]);
		i += count;
	}
	return err;
}
