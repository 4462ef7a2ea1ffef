/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever a buffer holds: numbers, jumps and transforms stay inside it, and a body gives the same
 * hits however it is cut. The first byte says where.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rules_fixture.h"

#define SIZE_MAX_FUZZED 70000
#define RULE(options)   "alert smtp any any -> any any (msg:\"t\"; " options ")\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
static const char rules[] =
	RULE("email.subject; byte_test:4,>,1000,0,little; sid:1;")
	RULE("email.subject; content:\"a\"; byte_jump:2,0,relative,multiplier 3,align; content:\"b\"; within:9; sid:2;")
	RULE("email.subject; byte_jump:8,0; byte_jump:4,-4,relative,post_offset -9; isdataat:!1,relative; sid:3;")
	RULE("email.subject; byte_extract:8,0,n; content:\"a\"; offset:n; "
	     "byte_math:bytes 4, offset -2, oper <<, rvalue n, result m, relative; byte_test:1,<,m,n; sid:4;")
	RULE("email.subject; byte_test:23,>=,07,0,string,oct; sid:5;")
	RULE("email.subject; byte_jump:20,0,string,dec,from_end; content:\"x\"; within:1; sid:6;")
	RULE("email.subject; url_decode; strip_whitespace; to_lowercase; content:\"free\"; sid:7;")
	RULE("email.subject; compress_whitespace; dotprefix; header_lowercase; pcre:\"/^\\.a+/\"; sid:8;")
	RULE("email.subject; to_uppercase; to_sha256; content:\"|00|\"; sid:9;")
	RULE("email.subject; url_decode; from_base64; from_base64:offset 1,mode rfc2045; content:\"a\"; sid:10;")
	RULE("email.subject; from_base64:bytes 8,mode strict; xor:\"0102ff\"; content:\"b\"; sid:11;")
	RULE("email.subject; pcrexform:\"a(.*)b\"; dotprefix; pcrexform:\"(?:x|(c))\"; content:\"c\"; sid:12;")
	RULE("email.body; url_decode; strip_whitespace; to_lowercase; content:\"ab\"; sid:13;")
	RULE("email.body; xor:\"20\"; compress_whitespace; url_decode; url_decode; pcre:\"/a[bc]{1,5}d/i\"; sid:14;")
	RULE("email.body; header_lowercase; url_decode; to_sha1; to_uppercase; content:\"A\"; sid:15;")
	RULE("email.body; url_decode; none; content:\"%\"; endswith; sid:16;")
	RULE("email.body; content:\"a\"; byte_test:2,>,100,-1,relative; sid:20;")
	RULE("email.body; content:\"ab\"; byte_jump:1,0,relative; content:\"b\"; within:5; sid:21;")
	RULE("email.body; content:\"ba\"; byte_extract:1,0,n,relative; content:\"a\"; distance:n; within:3; sid:22;")
	RULE("email.body; to_md5; content:\"|00|\"; sid:23;")
	RULE("email.body; pcre:\"/a[bc]{1,5}d/i\"; isdataat:3,relative; sid:24;");
/* clang-format on */

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Sids that hit, as bits. */
static uint32_t take_hits(struct matcher *m)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < m->nhits; i++) {
		check(m->hits[i].rule->sid < 32);
		bits |= 1u << m->hits[i].rule->sid;
	}
	m->nhits = 0;
	return bits;
}

static uint32_t feed_body(struct matcher *m, const uint8_t *data, size_t len, size_t piece)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;

	match_begin(m, &txn, &flow, NULL);
	check(match_stream_open(m, &txn, RULE_BUFFER_EMAIL_BODY));
	for (size_t at = 0; at < len; at += piece)
		match_stream_feed(m, &txn, RULE_BUFFER_EMAIL_BODY, data + at,
				  len - at < piece ? len - at : piece);
	match_stream_close(m, &txn, RULE_BUFFER_EMAIL_BODY);
	match_whole(m, &txn, BUFFER_SMTP);
	match_end(m, &txn);
	return txn.over_budget ? UINT32_MAX : take_hits(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules_fixture f;
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;
	uint32_t whole, cut;

	if (!f.matcher)
		rules_fixture_init(&f, rules);
	check(f.matcher && f.list.refused == 0);
	if (size < 1 || size > SIZE_MAX_FUZZED)
		return 0;
	match_begin(f.matcher, &txn, &flow, NULL);
	match_block(f.matcher, &txn, RULE_BUFFER_EMAIL_SUBJECT, data + 1, size - 1);
	match_end(f.matcher, &txn);
	take_hits(f.matcher);

	whole = feed_body(f.matcher, data + 1, size - 1, SIZE_MAX_FUZZED);
	cut = feed_body(f.matcher, data + 1, size - 1, data[0] + 1u);
	f.matcher->nhits = 0;
	check(whole == UINT32_MAX || cut == UINT32_MAX || whole == cut);
	return 0;
}
