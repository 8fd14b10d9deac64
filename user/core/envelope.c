/* SPDX-License-Identifier: GPL-2.0-only */
#include "envelope.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define PROOF_BYTES 32

static const __u8 magic[8] = "SLR1";

struct envelope_header {
	__u8 magic[8];
	__be64 sender;
	__be64 sequence;
	__be64 sent_ms;
	__u8 proof[PROOF_BYTES];
};
_Static_assert(sizeof(struct envelope_header) == ENVELOPE_HEADER_BYTES, "as documented");

struct envelope_key {
	EVP_MAC_CTX *context; /* has the key, and can begin anew without it */
};

void envelope_key_free(struct envelope_key *key)
{
	if (!key)
		return;
	EVP_MAC_CTX_free(key->context);
	free(key);
}

struct envelope_key *envelope_key_new(const void *secret, size_t secret_bytes)
{
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	struct envelope_key *key;
	EVP_MAC *mac;

	if (secret_bytes < ENVELOPE_KEY_BYTES_MIN || secret_bytes > ENVELOPE_KEY_BYTES_MAX)
		return NULL;
	key = calloc(1, sizeof(*key));
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (key && mac)
		key->context = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (key && key->context && EVP_MAC_init(key->context, secret, secret_bytes, parameters))
		return key;
	envelope_key_free(key);
	return NULL;
}

size_t envelope_secret_bytes(const char *file, size_t file_bytes)
{
	while (file_bytes && (file[file_bytes - 1] == '\n' || file[file_bytes - 1] == '\r'))
		file_bytes--;
	return file_bytes;
}

/* The library says no more than yes or no; with a key that it has taken, it is memory that lacks. */
static int prove(struct envelope_key *key, const struct envelope_header *header, const void *text,
		 size_t text_bytes, __u8 proof[PROOF_BYTES])
{
	size_t bytes;

	if (!EVP_MAC_init(key->context, NULL, 0, NULL) ||
	    !EVP_MAC_update(key->context, (const __u8 *)header,
			    offsetof(struct envelope_header, proof)) ||
	    !EVP_MAC_update(key->context, text, text_bytes) ||
	    !EVP_MAC_final(key->context, proof, &bytes, PROOF_BYTES))
		return -ENOMEM;
	return 0;
}

int envelope_seal(struct envelope_key *key, const struct envelope *envelope, void *datagram)
{
	struct envelope_header header = {
		.sender = htobe64(envelope->sender),
		.sequence = htobe64(envelope->sequence),
		.sent_ms = htobe64(envelope->sent_ms),
	};
	int err;

	if (envelope->text_bytes > ENVELOPE_TEXT_MAX)
		return -EMSGSIZE;
	memcpy(header.magic, magic, sizeof(magic));
	err = prove(key, &header, envelope->text, envelope->text_bytes, header.proof);
	if (err)
		return err;
	memcpy(datagram, &header, sizeof(header));
	memcpy((char *)datagram + sizeof(header), envelope->text, envelope->text_bytes);
	return sizeof(header) + envelope->text_bytes;
}

int envelope_open(struct envelope_key *key, const void *datagram, size_t datagram_bytes,
		  struct envelope *envelope)
{
	const char *text = (const char *)datagram + sizeof(struct envelope_header);
	struct envelope_header header;
	__u8 proof[PROOF_BYTES];
	int err;

	if (datagram_bytes < sizeof(header) || memcmp(datagram, magic, sizeof(magic)))
		return -EPROTO;
	memcpy(&header, datagram, sizeof(header));
	err = prove(key, &header, text, datagram_bytes - sizeof(header), proof);
	if (err)
		return err;
	/* In the same time wherever they differ, or a forger could find the proof byte by byte. */
	if (CRYPTO_memcmp(proof, header.proof, sizeof(proof)))
		return -EBADMSG;
	*envelope = (struct envelope){
		.sender = be64toh(header.sender),
		.sequence = be64toh(header.sequence),
		.sent_ms = be64toh(header.sent_ms),
		.text = text,
		.text_bytes = datagram_bytes - sizeof(header),
	};
	return 0;
}
