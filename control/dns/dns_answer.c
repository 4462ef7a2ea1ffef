/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/dns_answer.h"

#include <ares.h>
#include <limits.h>
#include <string.h>

#define HEADER   12 /* RFC 1035 4.1.1 */
#define RCODE_OK 0
#define RCODE_NX 3
#define TYPE_SOA 6
#define CLASS_IN 1

struct reader {
	const uint8_t *data, *at, *end;
	bool bad;
};

static uint32_t take(struct reader *r, unsigned bytes)
{
	uint32_t value = 0;

	if (r->bad || (size_t)(r->end - r->at) < bytes) {
		r->bad = true;
		return 0;
	}
	while (bytes--)
		value = value << 8 | *r->at++;
	return value;
}

/* *is_root (may be NULL): the name is ".". */
static void take_name(struct reader *r, bool *is_root)
{
	char *name;
	long len;

	if (r->bad || r->at >= r->end ||
	    ares_expand_name(r->at, r->data, (int)(r->end - r->data), &name, &len) !=
		    ARES_SUCCESS) {
		r->bad = true;
		return;
	}
	if (is_root)
		*is_root = !*name;
	ares_free_string(name);
	r->at += len;
}

struct record {
	unsigned type, class, len;
	uint32_t ttl;
	struct reader data; /* `end` is the message's: names point back */
};

static bool take_record(struct reader *r, struct record *out)
{
	take_name(r, NULL);
	out->type = take(r, 2);
	out->class = take(r, 2);
	out->ttl = take(r, 4);
	out->len = take(r, 2);
	if (r->bad || (size_t)(r->end - r->at) < out->len)
		return false;
	if (out->ttl > INT32_MAX) /* RFC 2181 8 */
		out->ttl = 0;
	out->data = *r;
	r->at += out->len;
	return true;
}

static void lower(uint32_t *ttl, uint32_t other)
{
	if (other < *ttl)
		*ttl = other;
}

static void take_mx(struct record *record, unsigned *count, struct dns_answer *out)
{
	const unsigned preference = take(&record->data, 2);
	bool is_root = false;

	take_name(&record->data, &is_root);
	if (record->data.bad)
		return;
	++*count;
	out->null_mx = *count == 1 && is_root && preference == 0;
}

/* Aliases are on the way; what counts is of the type. */
static unsigned read_answers(struct reader *r, unsigned count, enum dns_type type,
			     struct dns_answer *out)
{
	struct record record;
	unsigned found = 0;

	for (; count && take_record(r, &record); count--) {
		if (record.class != CLASS_IN)
			continue;
		lower(&out->ttl, record.ttl);
		if (record.type != type)
			continue;
		if (type == DNS_MX) {
			take_mx(&record, &found, out);
		} else if (record.len == (type == DNS_A ? 4 : 16)) {
			found++;
			if (type == DNS_A && out->addresses < DNS_ADDRESSES)
				out->address[out->addresses++] = take(&record.data, 4);
		}
	}
	r->bad = r->bad || count;
	return found;
}

/* RFC 2308 5: the lower of the SOA's TTL and its last number. Without one nothing may be kept. */
static void read_negative_ttl(struct reader *r, unsigned count, struct dns_answer *out)
{
	struct record record;

	out->ttl = 0;
	for (; count && take_record(r, &record); count--) {
		if (record.type != TYPE_SOA || record.class != CLASS_IN)
			continue;
		take_name(&record.data, NULL);
		take_name(&record.data, NULL);
		take(&record.data, 4); /* serial; then refresh, retry, expire */
		take(&record.data, 4);
		take(&record.data, 4);
		take(&record.data, 4);
		out->ttl = take(&record.data, 4);
		if (record.data.bad || record.data.at > r->at)
			out->ttl = 0;
		lower(&out->ttl, record.ttl);
		return;
	}
}

void dns_answer_read(const uint8_t *data, size_t len, enum dns_type type, struct dns_answer *out)
{
	struct reader r = {data, data, data + len, len > INT_MAX};
	unsigned flags, questions, answers, authorities, found;

	*out = (struct dns_answer){.result = DNS_UNKNOWN, .ttl = DNS_TTL_MAX};
	take(&r, 2);
	flags = take(&r, 2);
	questions = take(&r, 2);
	answers = take(&r, 2);
	authorities = take(&r, 2);
	take(&r, 2);
	while (!r.bad && questions--) {
		take_name(&r, NULL);
		take(&r, 4);
	}
	/* QR, and no TC: what was cut says nothing of what is missing. */
	if (r.bad || !(flags & 0x8000) || flags & 0x0200)
		return;
	if ((flags & 0xf) != RCODE_OK && (flags & 0xf) != RCODE_NX)
		return;
	found = read_answers(&r, answers, type, out);
	if (r.bad) {
		*out = (struct dns_answer){.result = DNS_UNKNOWN};
		return;
	}
	if ((flags & 0xf) == RCODE_OK && found) {
		out->result = DNS_FOUND;
		out->null_mx = out->null_mx && found == 1;
		return;
	}
	out->result = (flags & 0xf) == RCODE_NX ? DNS_NXDOMAIN : DNS_NODATA;
	read_negative_ttl(&r, authorities, out);
}

const char *dns_result_name(enum dns_result result)
{
	static const char *const names[] = {
		[DNS_UNKNOWN] = "unknown",
		[DNS_FOUND] = "found",
		[DNS_NODATA] = "nodata",
		[DNS_NXDOMAIN] = "nxdomain",
	};

	return names[result];
}
