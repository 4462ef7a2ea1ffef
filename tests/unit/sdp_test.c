/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sdp.h"
#include "tests/unit/test.h"

static struct bytes text_of(const char *text)
{
	return bytes_of(text, strlen(text));
}

static void assert_bytes(struct bytes got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.p, want, got.len);
}

/* A copy that ends where its memory does: reading beyond shows under ASan. */
static struct bytes tight(struct bytes s)
{
	uint8_t *copy = malloc(s.len ? s.len : 1);

	if (s.len)
		memcpy(copy, s.p, s.len);
	return bytes_of(copy, s.len);
}

/* RFC 8866 5, with a media description more. */
static const char example[] = "v=0\r\n"
			      "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
			      "s=Call to John Smith\r\n"
			      "c=IN IP4 198.51.100.1\r\n"
			      "t=0 0\r\n"
			      "a=rtcp-mux\r\n"
			      "m=audio 49170 RTP/AVP 0 8 97\r\n"
			      "m=video 51372/2 RTP/SAVPF 99\r\n"
			      "i=the camera\r\n"
			      "c=IN IP6 2001:db8::2\r\n"
			      "a=rtpmap:99 h263-1998/90000\r\n"
			      "a=rtcp:53020 IN IP6 2001:db8::3\r\n"
			      "m=text 0 RTP/AVP 98\r\n"
			      "a=rtcp-mux\r\n";

static void lines_know_their_media_description(void **state)
{
	struct sdp_lines lines = {.rest = text_of(example)};
	struct sdp_line line;
	char letters[32];
	size_t n = 0;

	while (sdp_line_next(&lines, &line)) {
		letters[n++] = (char)line.type;
		letters[n++] = (char)('0' + line.media);
		if (line.type == 's')
			assert_bytes(line.value, "Call to John Smith");
		if (line.type == 'i')
			assert_bytes(line.value, "the camera");
	}
	letters[n] = 0;
	assert_string_equal(letters, "v0o0s0c0t0a0m1m2i2c2a2a2m3a3");
}

static void media_have_the_nearest_address(void **state)
{
	static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	struct sdp_medias medias = {.lines = {.rest = text_of(example)}};
	struct sdp_media m;

	assert_true(sdp_media_next(&medias, &m));
	assert_bytes(m.media, "audio");
	assert_bytes(m.proto, "RTP/AVP");
	assert_bytes(m.formats, "0 8 97");
	assert_int_equal(m.port, 49170);
	assert_int_equal(m.ports, 1);
	assert_int_equal(m.at.family, 4);
	assert_memory_equal(m.at.addr, "\xc6\x33\x64\x01", 4);
	assert_false(m.rtcp_mux); /* the session's attribute is not a media's */
	assert_true(sdp_media_next(&medias, &m));
	assert_int_equal(m.ports, 2);
	assert_int_equal(m.at.family, 6);
	assert_memory_equal(m.at.addr, six, 16);
	assert_int_equal(m.rtcp_port, 53020);
	assert_true(sdp_media_next(&medias, &m));
	assert_int_equal(m.port, 0);
	assert_true(m.rtcp_mux);
	assert_int_equal(m.at.family, 4);
	assert_false(sdp_media_next(&medias, &m));
	assert_false(sdp_media_next(&medias, &m));
}

static size_t count_media(const char *text, struct sdp_media *last)
{
	struct sdp_medias medias = {.lines = {.rest = text_of(text)}};
	size_t n = 0;

	while (sdp_media_next(&medias, last))
		n++;
	return n;
}

static void sloppy_descriptions_are_read(void **state)
{
	struct sdp_media m;

	assert_int_equal(count_media("m=audio 1 RTP/AVP 0", &m), 1); /* no end, no address */
	assert_int_equal(m.at.family, 0);
	assert_int_equal(m.at.host.len, 0);
	assert_int_equal(count_media("c=IN IP4 192.0.2.1\nm=audio 7 RTP/AVP 0\n", &m), 1);
	assert_int_equal(m.at.family, 4);
	assert_int_equal(count_media("m=audio  8\tRTP/AVP   0 \r\nc=IN IP4 media.example\r\n", &m),
			 1);
	assert_bytes(m.at.host, "media.example");
	assert_int_equal(m.at.family, 0);
	assert_int_equal(count_media("m=audio 8 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127/3\r\n", &m), 1);
	assert_bytes(m.at.host, "224.2.1.1");
	assert_int_equal(m.at.family, 4);
	/* A type that lies about its address. */
	assert_int_equal(count_media("m=audio 8 RTP/AVP 0\r\nc=IN IP4 2001:db8::1\r\n", &m), 1);
	assert_int_equal(m.at.family, 6);
}

static void what_is_no_line_is_passed_over(void **state)
{
	struct sdp_media m;

	assert_int_equal(count_media("", &m), 0);
	assert_int_equal(count_media("m", &m), 0);
	assert_int_equal(count_media("m=", &m), 0);
	assert_int_equal(count_media("m=audio 9", &m), 0);
	assert_int_equal(count_media("m=audio 65536 RTP/AVP 0", &m), 0);
	assert_int_equal(count_media("m=audio -1 RTP/AVP 0", &m), 0);
	assert_int_equal(count_media("m=audio 9/0 RTP/AVP 0", &m), 0);
	assert_int_equal(count_media("m=audio 9/ RTP/AVP 0", &m), 0);
	assert_int_equal(count_media("M=audio 9 RTP/AVP 0", &m), 0);
	assert_int_equal(count_media(" m=audio 9 RTP/AVP 0", &m), 0);
	assert_int_equal(count_media("=\r\n\r\nx\r\nm =a\r\nm=audio 9 RTP/AVP 0\r\n", &m), 1);
	/* The address under one that can't be read is not the next one's. */
	assert_int_equal(count_media("m=bad\nc=IN IP4 192.0.2.9\nm=audio 9 RTP/AVP 0\n", &m), 1);
	assert_int_equal(m.at.family, 0);
	assert_int_equal(count_media("c=IN IP4\nm=audio 9 RTP/AVP 0\n", &m), 1);
	assert_int_equal(m.at.host.len, 0);
	assert_int_equal(
		count_media("c=IN IP4 192.0.2.1.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20\n"
			    "m=audio 9 RTP/AVP 0\n",
			    &m),
		1);
	assert_int_equal(m.at.family, 0);
}

/* Cut anywhere: what was read before the cut is as before, and nothing beyond is touched. */
static void a_cut_description_keeps_what_came(void **state)
{
	size_t most = 0;

	for (size_t len = 0; len < sizeof(example); len++) {
		struct bytes cut = tight(bytes_of(example, len));
		struct sdp_medias medias = {.lines = {.rest = cut}};
		struct sdp_media m;
		size_t n = 0;

		while (sdp_media_next(&medias, &m))
			n++;
		assert_true(n == most || n == most + 1);
		most = n;
		free((void *)(uintptr_t)cut.p);
	}
	assert_int_equal(most, 3);
}

static void a_huge_description_is_read_once(void **state)
{
	enum { COUNT = 100000 };
	static char text[COUNT * 24];
	struct sdp_medias medias = {.lines = {.rest = {(uint8_t *)text, 0}}};
	struct sdp_media m;
	size_t n = 0;

	for (int i = 0; i < COUNT; i++)
		medias.lines.rest.len += (size_t)sprintf(text + medias.lines.rest.len,
							 "m=audio %d RTP/AVP 0\n", i % 65536);
	while (sdp_media_next(&medias, &m))
		assert_int_equal(m.port, n++ % 65536);
	assert_int_equal(n, COUNT);
}

static void a_description_is_found_in_its_body(void **state)
{
	static const char parts[] = "preamble\r\n"
				    "--b1\r\n"
				    "Content-Type: application/pidf+xml\r\n\r\n<m=x>\r\n"
				    "--b1\r\n"
				    "c: application/SDP ;charset=x\r\n"
				    "Content-Disposition: session\r\n\r\n"
				    "v=0\r\nm=audio 9 RTP/AVP 0\r\n"
				    "--b1--\r\nm=audio 10 RTP/AVP 0\r\n";
	struct bytes body = text_of(parts);

	assert_bytes(sdp_in_body(text_of("application/sdp"), text_of("v=0")), "v=0");
	assert_bytes(sdp_in_body(text_of("Application/SDP; charset=utf-8"), text_of("v=0")), "v=0");
	assert_int_equal(sdp_in_body(text_of("text/plain"), text_of("v=0")).len, 0);
	assert_int_equal(sdp_in_body(bytes_of(NULL, 0), text_of("v=0")).len, 0);
	assert_bytes(sdp_in_body(text_of("multipart/mixed;boundary=b1"), body),
		     "v=0\r\nm=audio 9 RTP/AVP 0");
	assert_bytes(sdp_in_body(text_of("multipart/mixed; boundary=\"b1\""), body),
		     "v=0\r\nm=audio 9 RTP/AVP 0");
	assert_int_equal(sdp_in_body(text_of("multipart/mixed"), body).len, 0);
	assert_int_equal(sdp_in_body(text_of("multipart/mixed;boundary=b"), body).len, 0);
	assert_int_equal(sdp_in_body(text_of("multipart/mixed;boundary=b2"), body).len, 0);
	/* Not ended: the datagram was cut. */
	assert_bytes(sdp_in_body(text_of("multipart/x;boundary=b"),
				 text_of("--b\r\nContent-Type: application/sdp\r\n\r\nv=0")),
		     "v=0");
	assert_int_equal(sdp_in_body(text_of("multipart/x;boundary=b"),
				     text_of("--b\r\nContent-Type: application/sdp\r\n"
					     "Content-Transfer-Encoding: base64\r\n\r\ndj0w"))
				 .len,
			 0);
	for (size_t len = 0; len < sizeof(parts); len++) {
		struct bytes cut = tight(bytes_of(parts, len));

		sdp_in_body(text_of("multipart/mixed;boundary=b1"), cut);
		free((void *)(uintptr_t)cut.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_know_their_media_description),
		cmocka_unit_test(media_have_the_nearest_address),
		cmocka_unit_test(sloppy_descriptions_are_read),
		cmocka_unit_test(what_is_no_line_is_passed_over),
		cmocka_unit_test(a_cut_description_keeps_what_came),
		cmocka_unit_test(a_huge_description_is_read_once),
		cmocka_unit_test(a_description_is_found_in_its_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
