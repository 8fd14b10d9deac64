/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a report travels in over UDP: who sent it, when, and a proof that the sender has the key.
 * One datagram, all numbers in network byte order:
 *
 *	byte  0   4  "SLR1"
 *	      4   4  0
 *	      8   8  sender: a random number, drawn when the sending program starts
 *	     16   8  sequence: from 1, one more with each datagram of that sender
 *	     24   8  the sender's Unix time in ms
 *	     32  32  HMAC-SHA256 (RFC 2104), by the shared key, of bytes 0 to 31 and the text
 *	     64      text: JSON, as report.h has it
 *
 * The key is a secret of ENVELOPE_KEY_BYTES_MIN bytes or more that both sides hold. The text is not
 * hidden, only proved. Whoever has the key may speak for any node.
 */
#ifndef SLUICE_CORE_ENVELOPE_H
#define SLUICE_CORE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#define ENVELOPE_HEADER_BYTES  64
#define ENVELOPE_BYTES_MAX     65507 /* of a UDP datagram in IPv4 */
#define ENVELOPE_TEXT_MAX      (ENVELOPE_BYTES_MAX - ENVELOPE_HEADER_BYTES)
#define ENVELOPE_KEY_BYTES_MIN 16
#define ENVELOPE_KEY_BYTES_MAX 1024

struct envelope {
	__u64 sender;
	__u64 sequence;
	int64_t sent_ms;
	const char *text; /* within the datagram, once opened; not ended by a NUL */
	size_t text_bytes;
};

struct envelope_key;

/* NULL when out of memory, or when the key is shorter or longer than the bounds above. */
struct envelope_key *envelope_key_new(const void *secret, size_t secret_bytes);
void envelope_key_free(struct envelope_key *key);

/* Where the secret within a key file ends: line ends behind it are not part of it. */
size_t envelope_secret_bytes(const char *file, size_t file_bytes);

/*
 * Write @envelope into @datagram, which has room for ENVELOPE_HEADER_BYTES and the text. Returns the
 * bytes written, -EMSGSIZE when the text is too long, or -ENOMEM.
 */
int envelope_seal(struct envelope_key *key, const struct envelope *envelope, void *datagram);

/*
 * Returns 0 with @envelope filled in, -EPROTO when this is no such datagram, -EBADMSG when its proof
 * is wrong, or -ENOMEM. Whether it was here before is replay.h's question.
 */
int envelope_open(struct envelope_key *key, const void *datagram, size_t datagram_bytes,
		  struct envelope *envelope);

#endif
