/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends reports to balancers, and never waits for one. */
#ifndef SLUICE_IO_REPORT_SENDER_H
#define SLUICE_IO_REPORT_SENDER_H

#include "../core/config_agent.h"
#include "../core/text_error.h"

struct report_sender;

/*
 * For the balancers of @config; its key is read where one of them is reached by UDP. NULL with a
 * sentence in @error. @config must outlive the sender.
 */
struct report_sender *report_sender_open(const struct config_agent *config,
					 struct text_error *error);
void report_sender_close(struct report_sender *sender);

/*
 * Send one report to all: by UDP in an envelope, to unix sockets as it is. A balancer that cannot
 * be reached is said once in the log, and once again when it can.
 */
void report_sender_send(struct report_sender *sender, const char *text, size_t text_bytes);

#endif
