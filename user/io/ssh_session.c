/* SPDX-License-Identifier: GPL-2.0-only */
#include "ssh_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/policy_image.h"
#include "file.h"

#define TABLE_BYTES_MAX (64 << 20)
#define ESTABLISHED     1 /* TCP_ESTABLISHED of linux/tcp_states.h, which is not for userspace */

/* A tick that only rates depend on, which are not asked for here. */
#define ANY_TICK_NS 4000000

static void add(struct ssh_sessions *sessions, const struct address *client)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (address_equal(&sessions->client[i], client))
			return;
	}
	if (sessions->count < SSH_SESSIONS_MAX)
		sessions->client[sessions->count++] = *client;
}

/* "CLIENT CLIENT-PORT SERVER SERVER-PORT"; link-local addresses have a zone behind them. */
void ssh_sessions_add_connection(struct ssh_sessions *sessions, const char *connection)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address client;
	size_t length = connection ? strcspn(connection, " %") : 0;

	if (!length || length >= sizeof(text))
		return;
	memcpy(text, connection, length);
	text[length] = '\0';
	if (!address_parse(text, &client))
		add(sessions, &client);
}

/* 8 or 32 hexadecimal digits: each 4 bytes as this machine reads a word of them. */
static bool read_address(const char *digits, struct address *address)
{
	size_t words = strlen(digits) / 8;
	unsigned int word;

	if (strlen(digits) % 8 || (words != 1 && words != 4))
		return false;
	memset(address, 0, sizeof(*address));
	((__u8 *)address->word)[10] = 0xff;
	((__u8 *)address->word)[11] = 0xff;
	for (size_t i = 0; i < words; i++) {
		if (sscanf(digits + 8 * i, "%8x", &word) != 1)
			return false;
		address->word[4 - words + i] = word;
	}
	return true;
}

static void add_line(struct ssh_sessions *sessions, const char *line)
{
	unsigned int local_port, state;
	struct address client;
	char remote[33];

	if (sscanf(line, " %*d: %*32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%*4x %2x", &local_port, remote,
		   &state) == 3 &&
	    local_port == SSH_PORT && state == ESTABLISHED && read_address(remote, &client))
		add(sessions, &client);
}

void ssh_sessions_add_table(struct ssh_sessions *sessions, const char *text)
{
	char line[128]; /* what matters is at its beginning */

	while (*text) {
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		add_line(sessions, line);
		text += length;
		text += *text == '\n';
	}
}

void ssh_sessions_find(struct ssh_sessions *sessions, const char *connection)
{
	static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	struct text_error ignored;
	size_t bytes;

	memset(sessions, 0, sizeof(*sessions));
	ssh_sessions_add_connection(sessions, connection);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *text = file_read(tables[i], TABLE_BYTES_MAX, &bytes, &ignored);

		if (text)
			ssh_sessions_add_table(sessions, text);
		free(text);
	}
}

/* What becomes of packets of nobody's service from there; RULE_NONE and RULE_ALLOW let them pass. */
static const struct rule *rule_for(const struct policy *policy, const struct policy_image *image,
				   const struct address *client)
{
	const struct rule *rule =
		policy_find(policy, policy_image_decide(image, client, 0, SSH_PORT));

	return rule && rule->action != RULE_ALLOW ? rule : NULL;
}

/* Those that pass under @policy stay in @sessions; of the others the first one's rule is returned. */
static int sift(struct ssh_sessions *sessions, const struct policy *policy,
		const struct model *model, const struct rule **rule, struct address *client,
		struct text_error *error)
{
	struct policy_image image;
	size_t kept = 0;
	int err;

	*rule = NULL;
	if (!policy->all_traffic || !sessions->count)
		return 0;
	err = policy_image_make(policy, model, ANY_TICK_NS, 1, &image, error);
	if (err)
		return err;
	for (size_t i = 0; i < sessions->count; i++) {
		const struct rule *found = rule_for(policy, &image, &sessions->client[i]);

		if (!found) {
			sessions->client[kept++] = sessions->client[i];
		} else if (!*rule) {
			*rule = found;
			*client = sessions->client[i];
		}
	}
	sessions->count = kept;
	policy_image_free(&image);
	return 0;
}

int ssh_sessions_check(const struct ssh_sessions *sessions, const struct policy *current,
		       const struct policy *next, const struct model *model,
		       struct text_error *error)
{
	struct ssh_sessions left = *sessions;
	char text[ADDRESS_TEXT_BYTES];
	const struct rule *rule;
	struct address client;
	int err = 0;

	/* The dearer half only when it can matter; who does not pass now has nothing to lose. */
	if (next->all_traffic)
		err = sift(&left, current, model, &rule, &client, error);
	if (!err)
		err = sift(&left, next, model, &rule, &client, error);
	if (err || !rule)
		return err;
	return text_refuse(error, -EPERM, NULL, "rule %u (%s%s%s) would %s the SSH session from %s",
			   rule->id, rule_action_name(rule->action), *rule->comment ? ", " : "",
			   rule->comment, rule->action == RULE_DENY ? "cut" : "limit",
			   address_format(&client, text));
}
