/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an answer of the DNS says, as far as we ask: is there such a name, has it addresses, does it
 * take mail, and for how long that holds. Pure, of bytes that anybody may have written; any thread.
 */
#ifndef POSTERN_CONTROL_DNS_ANSWER_H
#define POSTERN_CONTROL_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_SIZE 254 /* of a name as text, its NUL included (RFC 1035 2.3.4) */
#define DNS_ADDRESSES 16  /* of an answer that are kept */
#define DNS_TTL_MAX   86400

enum dns_type { DNS_A = 1, DNS_MX = 15, DNS_AAAA = 28 };

enum dns_result {
	DNS_UNKNOWN, /* no answer, one that refuses, or one that makes no sense: it says nothing */
	DNS_FOUND,   /* records of the type */
	DNS_NODATA,  /* the name is there, without such records (RFC 2308 2.2) */
	DNS_NXDOMAIN /* there is no such name, nor any below it (RFC 8020) */
};

struct dns_answer {
	enum dns_result result;
	uint32_t ttl; /* s, DNS_TTL_MAX at the most; negative answers: RFC 2308 5; 0: unknown */
	bool null_mx; /* the one MX is "." with preference 0: it takes no mail (RFC 7505 3) */
	unsigned addresses;
	uint32_t address[DNS_ADDRESSES]; /* of A, host order */
};

/* A whole answer as it came. */
void dns_answer_read(const uint8_t *data, size_t len, enum dns_type type, struct dns_answer *out);

const char *dns_result_name(enum dns_result result);

#endif
