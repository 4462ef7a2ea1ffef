/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each torture message of RFC 4475 and of kamailio's collection gets the answer
 * that stands here, as a datagram; and through the framer none does harm.
 *
 *   sip-torture [CORPUS]      default: $POSTERN_CORPUS; exits 77 where there is none
 */
#include "dataplane/proto/sip_frame.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX 65536

struct expectation {
	const char *file;
	enum sip_result result;
	enum sip_error error;
	enum sip_kind kind;
	uint32_t flags; /* that must be set: what the message is about */
};

#define OK(file, kind, flags)                                   \
	{                                                       \
		file, SIP_OK, SIP_ERROR_NONE, SIP_##kind, flags \
	}
#define BAD(file, kind, error)                                        \
	{                                                             \
		file, SIP_MALFORMED, SIP_ERROR_##error, SIP_##kind, 0 \
	}

static const struct expectation expectations[] = {
	/* RFC 4475 3.1.1, valid */
	OK("rfc4475/wsinv.sip", REQUEST, SIP_FLAG_FOLDED),
	OK("rfc4475/intmeth.sip", REQUEST, 0),
	OK("rfc4475/esc02.sip", REQUEST, 0),
	OK("rfc4475/escnull.sip", REQUEST, 0),
	OK("rfc4475/longreq.sip", REQUEST, 0),
	OK("rfc4475/dblreq.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
	OK("rfc4475/transports.sip", REQUEST, 0),
	OK("rfc4475/mpart01.sip", REQUEST, 0),
	OK("rfc4475/unreason.sip", RESPONSE, 0),
	/* 3.1.2, invalid: what the start line and the framing leave readable is read */
	OK("rfc4475/badinv01.sip", REQUEST, 0),
	OK("rfc4475/scalar02.sip", REQUEST, SIP_FLAG_BAD_CSEQ),
	OK("rfc4475/scalarlg.sip", RESPONSE, SIP_FLAG_BAD_CSEQ),
	OK("rfc4475/ltgtruri.sip", REQUEST, SIP_FLAG_BAD_URI),
	OK("rfc4475/lwsstart.sip", REQUEST, SIP_FLAG_START_SPACES),
	OK("rfc4475/trws.sip", REQUEST, SIP_FLAG_START_SPACES),
	OK("rfc4475/escruri.sip", REQUEST, 0),
	OK("rfc4475/baddate.sip", REQUEST, 0),
	OK("rfc4475/badaspec.sip", REQUEST, 0),
	OK("rfc4475/baddn.sip", REQUEST, SIP_FLAG_NO_HEAD_END),
	BAD("rfc4475/badvers.sip", NEITHER, VERSION),
	OK("rfc4475/mismatch01.sip", REQUEST, SIP_FLAG_CSEQ_METHOD),
	OK("rfc4475/mismatch02.sip", REQUEST, SIP_FLAG_CSEQ_METHOD),
	/* 3.2, transactions */
	OK("rfc4475/badbranch.sip", REQUEST, 0),
	/* 3.3, applications */
	OK("rfc4475/novelsc.sip", REQUEST, 0),
	OK("rfc4475/bext01.sip", REQUEST, 0),
	OK("rfc4475/invut.sip", REQUEST, 0),
	OK("rfc4475/regaut01.sip", REQUEST, 0),
	OK("rfc4475/multi01.sip", REQUEST, SIP_FLAG_DUPLICATE),
	BAD("rfc4475/mcl01.sip", REQUEST, CONTENT_LENGTHS),
	OK("rfc4475/bcast.sip", RESPONSE, 0),
	OK("rfc4475/cparam01.sip", REQUEST, 0),
	OK("rfc4475/cparam02.sip", REQUEST, 0),
	OK("rfc4475/regescrt.sip", REQUEST, 0),
	/* 3.4, RFC 2543 */
	OK("rfc4475/inv2543.sip", REQUEST, SIP_FLAG_NO_FROM_TAG | SIP_FLAG_NO_CONTENT_LENGTH),
	/* in the same folder, not of the RFC */
	BAD("rfc4475/test.sip", NEITHER, START_LINE),

	/* kamailio: mostly bare LF, whose lost CRs make many a body shorter than announced */
	BAD("kamailio/bad_uri.sip", REQUEST, BODY_TRUNCATED),
	OK("kamailio/bad_via1.sip", REQUEST, SIP_FLAG_FOLDED | SIP_FLAG_NO_CALL_ID),
	BAD("kamailio/bad_via2.sip", NEITHER, VERSION),
	OK("kamailio/bc2.sip", REQUEST, SIP_FLAG_BARE_LF),
	OK("kamailio/bye00.sip", REQUEST, SIP_FLAG_BARE_LF),
	BAD("kamailio/dns.sip", REQUEST, BODY_TRUNCATED),
	BAD("kamailio/invite00.sip", REQUEST, BODY_TRUNCATED),
	OK("kamailio/invite01.sip", REQUEST, 0),
	OK("kamailio/invite02.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
	OK("kamailio/invite03.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
	OK("kamailio/invite04.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
	OK("kamailio/invite05.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
	BAD("kamailio/invite3-callid.sip", REQUEST, BODY_TRUNCATED),
	BAD("kamailio/invite4-cseq.sip", REQUEST, BODY_TRUNCATED),
	BAD("kamailio/invite5-callid.sip", REQUEST, BODY_TRUNCATED),
	BAD("kamailio/message.sip", REQUEST, BODY_TRUNCATED),
	OK("kamailio/ms-invite-00-rpl.sip", RESPONSE, SIP_FLAG_NO_HEAD_END),
	OK("kamailio/ms-invite-01-rpl.sip", RESPONSE, 0),
	OK("kamailio/msbye.sip", REQUEST, 0),
	BAD("kamailio/nmr.sip", REQUEST, BODY_TRUNCATED),
	BAD("kamailio/no_eom_reply.sip", RESPONSE, HEAD_END),
	OK("kamailio/register02.sip", REQUEST, SIP_FLAG_NO_FROM_TAG),
	OK("kamailio/register03.sip", REQUEST, SIP_FLAG_NO_FROM_TAG),
	OK("kamailio/register04.sip", REQUEST, SIP_FLAG_BAD_TO),
	OK("kamailio/repl1.sip", RESPONSE, SIP_FLAG_NO_FROM_TAG),
	OK("kamailio/req-tm1.sip", REQUEST, SIP_FLAG_START_SPACES),
	OK("kamailio/req1.sip", REQUEST, SIP_FLAG_NO_CALL_ID),
	OK("kamailio/req2.sip", REQUEST, SIP_FLAG_NO_CALL_ID),
	BAD("kamailio/rport.sip", REQUEST, BODY_TRUNCATED),
	OK("kamailio/sg.sip", REQUEST, SIP_FLAG_BODY_EXTRA),
};

static uint8_t data[FILE_MAX];

static size_t file_read(const char *corpus, const char *name)
{
	char path[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/sip-messages/%s", corpus, name);
	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, sizeof(data), file);
	fclose(file);
	return n;
}

static bool datagram_check(const struct expectation *want, size_t len)
{
	struct sip_message msg;
	enum sip_result result = sip_parse(data, len, &msg);

	if (result == want->result && msg.error == want->error && msg.kind == want->kind &&
	    (sip_message_flags(&msg) & want->flags) == want->flags)
		return true;
	printf("%s: result %d kind %d flags %x (%s), expected %d %d %x (%s)\n", want->file, result,
	       msg.kind, msg.flags, sip_error_text((enum sip_error)msg.error), want->result,
	       want->kind, want->flags, sip_error_text(want->error));
	return false;
}

static void on_message(void *ctx, const struct sip_frame *frame, enum sip_result result,
		       const struct sip_message *msg)
{
}

static void on_lost(void *ctx, uint64_t offset, enum sip_lost why)
{
}

static void *block_get(struct proto_pool *pool)
{
	return malloc(pool->block_size);
}

static void block_put(struct proto_pool *pool, void *block)
{
	free(block);
}

/* Ten bytes at a time; the framer must come to the stream's end. */
static bool stream_check(const struct expectation *want, size_t len)
{
	static const struct sip_sink sink = {on_message, on_lost};
	struct proto_pool pool = {block_get, block_put, FILE_MAX};
	struct sip_framer f = {0};

	for (size_t i = 0; i < len; i += 10)
		sip_frame_feed(&f, data + i, len - i < 10 ? len - i : 10, &pool, &sink, NULL);
	sip_frame_fini(&f, &pool);
	if (f.offset == len)
		return true;
	printf("%s: the framer stopped at %llu of %zu\n", want->file, (unsigned long long)f.offset,
	       len);
	return false;
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("POSTERN_CORPUS");
	const size_t count = sizeof(expectations) / sizeof(expectations[0]);
	unsigned failures = 0;
	char path[4096];
	FILE *probe;

	if (!corpus && argc > 1)
		corpus = argv[1];
	snprintf(path, sizeof(path), "%s/sip-messages/%s", corpus ? corpus : "",
		 expectations[0].file);
	probe = corpus ? fopen(path, "rb") : NULL;
	if (!probe) {
		printf("skipped: no corpus at %s\n", corpus ? corpus : "$POSTERN_CORPUS");
		return 77;
	}
	fclose(probe);
	for (size_t i = 0; i < count; i++) {
		size_t len = file_read(corpus, expectations[i].file);

		failures += !datagram_check(&expectations[i], len);
		failures += !stream_check(&expectations[i], len);
	}
	printf("%zu messages, %u failures\n", count, failures);
	return failures != 0;
}
