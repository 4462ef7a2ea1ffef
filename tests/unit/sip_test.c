/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip.h"
#include "tests/unit/test.h"

static struct sip_message msg;
static uint32_t flags;
static struct sip_uri uri; /* the Request-URI */

static enum sip_result parse(const char *text)
{
	enum sip_result result = sip_parse((const uint8_t *)text, strlen(text), &msg);

	flags = sip_message_flags(&msg);
	sip_uri_parse(msg.uri, &uri);
	return result;
}

static void assert_bytes(struct bytes got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.p, want, got.len);
}

#define REST                                                                     \
	"Via: SIP/2.0/UDP gw.example.com:5070;branch=z9hG4bKa\r\n"               \
	"From: Ann <sip:ann@example.com>;tag=1\r\nTo: <sip:bob@example.net>\r\n" \
	"Call-ID: c1@example.com\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"

static void reads_every_part_of_a_request(void **state)
{
	struct sip_via via;

	assert_int_equal(parse("INVITE sip:bob:pw@example.net:5080;transport=tcp?x=y SIP/2.0\r\n"
			       "Via: SIP/2.0/UDP gw.example.com:5070;branch=z9hG4bKa, "
			       "SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKb\r\n"
			       "f: \"A, n <n>\" <sip:ann@example.com>;tag=1\r\n"
			       "t: sip:bob@example.net\r\ni: c1@example.com\r\n"
			       "CSeq: 7 INVITE\r\nm: <sip:ann@192.0.2.1>\r\n"
			       "Expires: 60\r\nUser-Agent: x/1\r\nSubject: a\r\n  b\r\n"
			       "P-Asserted-Identity: <tel:+14155550100>\r\nPrivacy: id\r\n"
			       "l: 4\r\n\r\nbody"),
			 SIP_OK);
	assert_int_equal(msg.kind, SIP_REQUEST);
	assert_int_equal(msg.method_id, SIP_METHOD_INVITE);
	assert_int_equal(flags, SIP_FLAG_FOLDED);
	assert_int_equal(uri.scheme_id, SIP_SCHEME_SIP);
	assert_bytes(uri.user, "bob");
	assert_bytes(uri.password, "pw");
	assert_bytes(uri.host, "example.net");
	assert_int_equal(uri.port, 5080);
	assert_bytes(uri.params, "transport=tcp");
	assert_bytes(uri.headers, "x=y");
	assert_true(sip_message_via(&msg, &via));
	assert_bytes(via.transport, "UDP");
	assert_bytes(via.host, "gw.example.com");
	assert_int_equal(via.port, 5070);
	assert_bytes(via.branch, "z9hG4bKa");
	assert_bytes(msg.from.display, "A, n <n>");
	assert_bytes(msg.from.uri, "sip:ann@example.com");
	assert_bytes(msg.from.tag, "1");
	assert_bytes(msg.to.uri, "sip:bob@example.net");
	assert_int_equal(msg.to.tag.len, 0);
	assert_bytes(msg.call_id, "c1@example.com");
	assert_int_equal(msg.cseq_number, 7);
	assert_int_equal(msg.cseq_method, SIP_METHOD_INVITE);
	assert_int_equal(msg.expires, 60);
	assert_bytes(msg.contact, "<sip:ann@192.0.2.1>");
	assert_bytes(msg.user_agent, "x/1");
	assert_bytes(msg.p_asserted_identity, "<tel:+14155550100>");
	assert_bytes(msg.privacy, "id");
	assert_bytes(msg.body, "body");
	assert_int_equal(msg.header_count, 12);
}

static void unfolds_a_header_into_one_line(void **state)
{
	char buf[16];
	unsigned index = 0;

	parse("OPTIONS sip:a@b SIP/2.0\r\nSubject: one \r\n \t two\r\n\tthree\r\n\r\n");

	const struct sip_header *h = sip_header_find(&msg, SIP_HEADER_SUBJECT, &index);

	assert_non_null(h);
	assert_true(h->folded);
	assert_int_equal(sip_header_unfold(h->value, buf, sizeof(buf)), 13);
	assert_memory_equal(buf, "one two three", 13);
	assert_int_equal(sip_header_unfold(h->value, buf, 5), 5);
	assert_memory_equal(buf, "one t", 5);
	assert_null(sip_header_find(&msg, SIP_HEADER_SUBJECT, &index));
}

static void reads_every_part_of_a_response(void **state)
{
	assert_int_equal(parse("SIP/2.0 486 Busy Here\r\n" REST), SIP_OK);
	assert_int_equal(msg.kind, SIP_RESPONSE);
	assert_int_equal(msg.code, 486);
	assert_bytes(msg.reason, "Busy Here");
	assert_int_equal(parse("SIP/2.0 100\r\n" REST), SIP_OK);
	assert_int_equal(msg.reason.len, 0);
	assert_int_equal(parse("sip/2.0 699 Odd\r\n" REST), SIP_OK);
}

static void unknown_is_not_hostile(void **state)
{
	assert_int_equal(parse("WINK%21 nobody:knows SIP/2.0\r\nX-New: 1\r\n" REST), SIP_OK);
	assert_int_equal(msg.method_id, SIP_METHOD_OTHER);
	assert_bytes(msg.method, "WINK%21");
	assert_bytes(uri.scheme, "nobody");
	assert_int_equal(flags, SIP_FLAG_CSEQ_METHOD);
}

static void a_method_is_known_whatever_its_case(void **state)
{
	assert_int_equal(parse("inVite sip:911@b SIP/2.0\r\n" REST), SIP_OK);
	assert_int_equal(msg.method_id, SIP_METHOD_INVITE);
	assert_bytes(msg.method, "inVite");
	assert_true(flags & SIP_FLAG_CSEQ_METHOD);
}

static void every_header_is_known_by_its_names(void **state)
{
	static const struct {
		enum sip_header_id id;
		const char *name;
		char compact;
	} headers[] = {
#define X(id, name, compact) {SIP_HEADER_##id, name, compact},
		SIP_HEADERS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char name[32], c = headers[i].compact;

		for (size_t k = 0; k <= strlen(headers[i].name); k++)
			name[k] = (char)ascii_upper((uint8_t)headers[i].name[k]);
		assert_int_equal(sip_header_id(bytes_of(name, strlen(name))), headers[i].id);
		assert_string_equal(sip_header_name(headers[i].id), headers[i].name);
		if (c)
			assert_int_equal(sip_header_id(bytes_of(&c, 1)), headers[i].id);
	}
	for (int c = 0; c < 256; c++) {
		uint8_t letter = (uint8_t)c;

		if (!strchr("abcdefijklmorstuvxy", ascii_lower(letter)) || !c)
			assert_int_equal(sip_header_id(bytes_of(&letter, 1)), SIP_HEADER_OTHER);
	}
	assert_int_equal(sip_header_id(BYTES("Vi")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_id(BYTES("Content-Lengthy")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_id(BYTES("")), SIP_HEADER_OTHER);
}

static void a_bad_start_line_is_malformed_and_no_request(void **state)
{
	static const struct {
		const char *line;
		enum sip_error error;
	} cases[] = {
		{"INVITE sip:a@b SIP/7.0\r\n", SIP_ERROR_VERSION},
		{"INVITE sip:a@b SIP/2.0/UDP\r\n", SIP_ERROR_VERSION},
		{"SIP/3.0 200 OK\r\n", SIP_ERROR_VERSION},
		{"SIP/2.0 700 Much\r\n", SIP_ERROR_STATUS_CODE},
		{"SIP/2.0 099 Little\r\n", SIP_ERROR_STATUS_CODE},
		{"SIP/2.0 4294967501 Wrap\r\n", SIP_ERROR_STATUS_CODE},
		{"SIP/2.0 2x0 OK\r\n", SIP_ERROR_STATUS_CODE},
		{"SIP/2.0\r\n", SIP_ERROR_STATUS_CODE},
		{"INV@ITE sip:a@b SIP/2.0\r\n", SIP_ERROR_METHOD},
		{"INVITE SIP/2.0\r\n", SIP_ERROR_START_LINE},
		{"INVITE sip:a@b\r\n", SIP_ERROR_START_LINE},
		{"REGISTER sips:a@b HTTP/1.1\r\n", SIP_ERROR_START_LINE},
		{"INVITE sip:a\r@b SIP/2.0\r\n", SIP_ERROR_START_LINE},
		{"SIP/2.0 200 O\001K\r\n", SIP_ERROR_START_LINE},
	};
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", cases[i].line, REST);
		assert_int_equal(parse(text), SIP_MALFORMED);
		assert_int_equal(msg.error, cases[i].error);
		assert_int_equal(msg.kind, SIP_NEITHER);
		assert_bytes(msg.call_id, "c1@example.com"); /* whose it was is known */
	}
}

static void an_endless_method_is_malformed(void **state)
{
	char text[512];

	memset(text, 'A', SIP_METHOD_MAX + 1);
	strcpy(text + SIP_METHOD_MAX + 1, " sip:a@b SIP/2.0\r\n\r\n");
	assert_int_equal(parse(text), SIP_MALFORMED);
	assert_int_equal(msg.error, SIP_ERROR_METHOD);
	assert_int_equal(parse(text + 1), SIP_OK);
}

static void what_shares_the_port_is_neither_sip_nor_malformed(void **state)
{
	static const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	static const char *const others[] = {
		"",
		"\r\n\r\n",
		"\r\n",
		"\n",
		"jaK",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n\r\n",
		" INVITE sip:a@b SIP/2.0\r\n\r\n",
		"\x80\x08\x12\x34",
	};

	assert_int_equal(sip_parse(stun, sizeof(stun), &msg), SIP_NOT_SIP);
	assert_int_equal(sip_parse((const uint8_t *)"", 1, &msg), SIP_NOT_SIP);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(parse(others[i]), SIP_NOT_SIP);
		assert_int_equal(msg.kind, SIP_NEITHER);
	}
}

static void sloppy_start_lines_are_read_and_flagged(void **state)
{
	static const char *const lines[] = {
		"INVITE  sip:911@b SIP/2.0\r\n",       "INVITE sip:911@b  SIP/2.0\r\n",
		"INVITE sip:911@b SIP/2.0 \r\n",       "INVITE\tsip:911@b\tSIP/2.0\t\r\n",
		"\r\n\r\nINVITE  sip:911@b SIP/2.0\n",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", lines[i], REST);
		assert_int_equal(parse(text), SIP_OK);
		assert_bytes(uri.user, "911");
		if (strchr(lines[i], '\t') == NULL)
			assert_true(flags & SIP_FLAG_START_SPACES);
	}
	assert_int_equal(parse("INVITE <sip:911@b> SIP/2.0\r\n" REST), SIP_OK);
	assert_int_equal(flags, SIP_FLAG_BAD_URI);
	assert_bytes(uri.user, "911");
	assert_int_equal(parse("INVITE sip:911@b; lr SIP/2.0\r\n" REST), SIP_OK);
	assert_int_equal(flags, SIP_FLAG_BAD_URI);
	assert_bytes(uri.user, "911");
}

static void a_datagram_must_hold_the_body_it_announces(void **state)
{
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 5\r\n\r\nfour"), SIP_MALFORMED);
	assert_int_equal(msg.error, SIP_ERROR_BODY_TRUNCATED);
	assert_int_equal(msg.kind, SIP_REQUEST); /* it still counts as a BYE */
	assert_bytes(msg.body, "four");
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 3\r\n\r\nfour"), SIP_OK);
	assert_true(flags & SIP_FLAG_BODY_EXTRA);
	assert_bytes(msg.body, "fou");
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nX: 1\r\n\r\nfour"), SIP_OK);
	assert_true(flags & SIP_FLAG_NO_CONTENT_LENGTH);
	assert_bytes(msg.body, "four");
}

static void a_content_length_that_is_none_is_malformed(void **state)
{
	static const char *const bad[] = {
		"bad",     "-1", "+1", "", "1x", "0x10", "1 2", "1,1", "99999999999999999999",
		"16777217"};
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "BYE sip:a@b SIP/2.0\r\nContent-Length: %s\r\n\r\nx",
			 bad[i]);
		assert_int_equal(parse(text), SIP_MALFORMED);
		assert_int_equal(msg.error, SIP_ERROR_CONTENT_LENGTH);
		assert_int_equal(msg.content_length, -1);
	}
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 1\r\nL: 2\r\n\r\nxy"), SIP_MALFORMED);
	assert_int_equal(msg.error, SIP_ERROR_CONTENT_LENGTHS);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 1\r\nL: 01\r\n\r\nx"), SIP_OK);
	assert_true(flags & SIP_FLAG_DUPLICATE);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nContent-Length:\r\n 1\r\n\r\nx"), SIP_OK);
	assert_int_equal(msg.content_length, 1);
}

static void headers_that_stop_short_are_malformed_where_something_lacks(void **state)
{
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/U"), SIP_MALFORMED);
	assert_int_equal(msg.error, SIP_ERROR_HEAD_END);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 1\r\n"), SIP_MALFORMED);
	assert_int_equal(msg.error, SIP_ERROR_HEAD_END);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0"), SIP_MALFORMED);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 0\r\nVia: x"), SIP_OK);
	assert_true(flags & SIP_FLAG_NO_HEAD_END);
	assert_int_equal(parse("BYE sip:a@b SIP/2.0\r\nl: 0\r\n"), SIP_OK);
	assert_true(flags & SIP_FLAG_NO_HEAD_END);
}

static void what_lacks_or_comes_twice_is_flagged(void **state)
{
	parse("BYE sip:a@b SIP/2.0\r\n\r\n");
	assert_int_equal(flags, SIP_FLAG_NO_VIA | SIP_FLAG_NO_FROM | SIP_FLAG_NO_TO |
					SIP_FLAG_NO_CALL_ID | SIP_FLAG_NO_CSEQ |
					SIP_FLAG_NO_CONTENT_LENGTH);
	parse("INVITE sip:a@b SIP/2.0\r\nCall-ID: first\r\n" REST);
	assert_int_equal(flags, SIP_FLAG_DUPLICATE);
	assert_bytes(msg.call_id, "first");
	parse("BYE sip:a@b SIP/2.0\r\n" REST);
	assert_int_equal(flags, SIP_FLAG_CSEQ_METHOD);
	parse("BYE sip:a@b SIP/2.0\r\nCSeq: 4294967296 BYE\r\n no header\r\nnor this\r\n" REST);
	assert_true(flags & SIP_FLAG_BAD_CSEQ);
	assert_true(flags & SIP_FLAG_BAD_HEADER);
	assert_int_equal(msg.cseq_number, 0);
}

static void headers_beyond_the_list_are_still_read(void **state)
{
	static char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "INVITE sip:a@b SIP/2.0\r\n");

	for (int i = 0; i < SIP_HEADERS_KEPT + 10; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "X-%d: y\r\n", i);
	strcpy(text + n, REST);
	assert_int_equal(parse(text), SIP_OK);
	assert_int_equal(msg.header_count, SIP_HEADERS_KEPT);
	assert_int_equal(msg.header_total, SIP_HEADERS_KEPT + 16);
	assert_int_equal(flags, SIP_FLAG_HEADERS_CUT);
	assert_bytes(msg.from.tag, "1");
}

static void addresses_are_told_from_their_parameters(void **state)
{
	static const struct {
		const char *text, *user, *tag;
		bool good;
	} cases[] = {
		{"sip:a@b;tag=1", "a", "1", true},
		{"sip:a;p=1@b;tag=1", "a;p=1", "1", true},
		{"<sip:a@b;tag=no>;x=\"tag=no;\";TAG=1", "a", "1", true},
		{"A <sip:a@b> ; tag = 1", "a", "1", true},
		{"\"q\\\"<sip:x@y>\" <sip:a@b>;tag=1", "a", "1", true},
		{"\"open <sip:a@b>;tag=1", "a", "1", false},
		{"<sip:a@b;tag=1", "a", "", false},
		{"<sip:a@b>x;tag=1", "a", "1", false},
		{"", "", "", false},
		{"*", "", "", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_address address;
		struct bytes text = bytes_of(cases[i].text, strlen(cases[i].text));

		bool good = sip_address_parse(text, &address);

		assert_int_equal(sip_uri_parse(address.uri, &uri) && good, cases[i].good);
		assert_bytes(uri.user, cases[i].user);
		assert_bytes(address.tag, cases[i].tag);
	}
}

static void lists_split_at_commas_that_separate(void **state)
{
	struct bytes rest = BYTES(" a, ,\"b,\\\",\" <sip:c,d@e;f>,\r\n g,");
	struct bytes one;

	assert_true(sip_list_next(&rest, &one));
	assert_bytes(one, "a");
	assert_true(sip_list_next(&rest, &one));
	assert_bytes(one, "\"b,\\\",\" <sip:c,d@e;f>");
	assert_true(sip_list_next(&rest, &one));
	assert_bytes(one, "g");
	assert_false(sip_list_next(&rest, &one));
}

static void via_allows_white_space_where_the_grammar_does(void **state)
{
	struct sip_via via;

	assert_true(
		sip_via_parse(BYTES("SIP  /\r\n 2.0 / UDP\r\n  192.0.2.2 : 99 ;branch = x"), &via));
	assert_bytes(via.transport, "UDP");
	assert_bytes(via.host, "192.0.2.2");
	assert_int_equal(via.port, 99);
	assert_bytes(via.branch, "x");
	assert_true(sip_via_parse(BYTES("SIP/2.0/TLS [2001:db8::1]:5061"), &via));
	assert_bytes(via.host, "2001:db8::1");
	assert_int_equal(via.port, 5061);
	assert_false(sip_via_parse(BYTES("SIP/7.0/UDP x"), &via));
	assert_bytes(via.host, "x");
	assert_false(sip_via_parse(BYTES("SIP/2.0/UDP"), &via));
	assert_false(sip_via_parse(BYTES("SIP/2.0/UDP x:70000"), &via));
	assert_false(sip_via_parse(BYTES("SIP/2.0/UDP [::1"), &via));
	assert_false(sip_via_parse(BYTES(""), &via));
}

/* A mebibyte of each: whoever is quadratic in it does not come back before the time is out. */
static void hostile_messages_take_linear_time(void **state)
{
	static const char *const fillers[] = {
		",",     "\"",     "\\",      ";",        "a;",          "<",      ":",
		"\r\n ", "a:\r\n", "v:,\r\n", "f:<;\r\n", "\r\nl:1\r\n", "tag=\"", "@;",
	};
	static const char *const starts[] = {
		"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a",
		"INVITE sip:a@b SIP/2.0\r\nFrom: ",
		"INVITE sip:a@b SIP/2.0\r\nX: ",
		"INVITE sip:",
		"",
	};
	const size_t size = 1 << 20;
	uint8_t *data = malloc(size);

	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (size_t f = 0; f < sizeof(fillers) / sizeof(fillers[0]); f++) {
			size_t n = strlen(starts[s]), filler = strlen(fillers[f]);

			memcpy(data, starts[s], n);
			for (; n + filler <= size; n += filler)
				memcpy(data + n, fillers[f], filler);
			sip_parse(data, n, &msg);
			assert_true(msg.header_count <= SIP_HEADERS_KEPT);
		}
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_part_of_a_request),
		cmocka_unit_test(unfolds_a_header_into_one_line),
		cmocka_unit_test(reads_every_part_of_a_response),
		cmocka_unit_test(unknown_is_not_hostile),
		cmocka_unit_test(a_method_is_known_whatever_its_case),
		cmocka_unit_test(every_header_is_known_by_its_names),
		cmocka_unit_test(a_bad_start_line_is_malformed_and_no_request),
		cmocka_unit_test(an_endless_method_is_malformed),
		cmocka_unit_test(what_shares_the_port_is_neither_sip_nor_malformed),
		cmocka_unit_test(sloppy_start_lines_are_read_and_flagged),
		cmocka_unit_test(a_datagram_must_hold_the_body_it_announces),
		cmocka_unit_test(a_content_length_that_is_none_is_malformed),
		cmocka_unit_test(headers_that_stop_short_are_malformed_where_something_lacks),
		cmocka_unit_test(what_lacks_or_comes_twice_is_flagged),
		cmocka_unit_test(headers_beyond_the_list_are_still_read),
		cmocka_unit_test(addresses_are_told_from_their_parameters),
		cmocka_unit_test(lists_split_at_commas_that_separate),
		cmocka_unit_test(via_allows_white_space_where_the_grammar_does),
		cmocka_unit_test(hostile_messages_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
