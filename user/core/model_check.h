/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verbs of model.c refuse: 0, or negative errno with the reason in @error. */
#ifndef SLUICE_CORE_MODEL_CHECK_H
#define SLUICE_CORE_MODEL_CHECK_H

#include "model.h"

int model_check_service(const struct model *model, const struct service_request *request,
			struct text_error *error);
int model_check_backend(const struct model *model, const struct model_service *service,
			const struct backend_request *request, struct text_error *error);

/* What may be set of a service that is there; @service is NULL for one that is not. */
int model_check_options(const struct model *model, const struct model_service *service,
			const struct service_request *request, struct text_error *error);

/* @except: the backend that is to have it; NULL: it is not there yet. */
int model_check_server_id(const struct model *model, const struct model_service *service,
			  const struct model_backend *except,
			  const struct quic_server_id *server_id, struct text_error *error);

/* GONE is for the verbs that delete to set. */
int model_check_state(enum backend_state state, struct text_error *error);

#endif
