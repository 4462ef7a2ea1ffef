/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/base64.h"
#include "tests/unit/test.h"

/* Decodes `in` in pieces of `piece` bytes and compares; whatever follows padding counts too. */
static void expect_pieces(struct bytes in, struct bytes want, size_t piece, size_t cap)
{
	struct base64 state = {0};
	uint8_t out[256];
	size_t n = 0;

	for (size_t at = 0; at < in.len; at += piece) {
		const uint8_t *p = in.p + at;
		const uint8_t *end = p + (in.len - at < piece ? in.len - at : piece);

		while (p < end)
			n += base64_decode(&state, &p, end, out + n, cap);
	}
	n += base64_finish(&state, out + n);
	assert_int_equal(n, want.len);
	assert_memory_equal(out, want.p, n);
}

static void expect(struct bytes in, struct bytes want)
{
	for (size_t piece = 1; piece <= in.len + 1; piece++) {
		expect_pieces(in, want, piece, BASE64_ROOM);
		expect_pieces(in, want, piece, 64);
	}
}

static void groups_of_every_length_decode(void **state)
{
	expect(BYTES(""), BYTES(""));
	expect(BYTES("Zg=="), BYTES("f"));
	expect(BYTES("Zm8="), BYTES("fo"));
	expect(BYTES("Zm9v"), BYTES("foo"));
	expect(BYTES("Zm9vYg=="), BYTES("foob"));
	expect(BYTES("Zm9vYmE="), BYTES("fooba"));
	expect(BYTES("Zm9vYmFyZm9vYmFyZm9vYmFy"), BYTES("foobarfoobarfoobar"));
	expect(BYTES("+/+/AP8A"), BYTES("\xfb\xff\xbf\x00\xff\x00"));
}

static void what_is_not_of_the_alphabet_is_skipped(void **state)
{
	expect(BYTES("Zm9v\r\nYmFy\r\n"), BYTES("foobar"));
	expect(BYTES("Z\tm 9-v!\x00Y\xffmFy"), BYTES("foobar"));
	expect(BYTES("=Z=m9v"), BYTES("foo"));
}

static void padding_may_be_missing(void **state)
{
	expect(BYTES("Zm9vYg"), BYTES("foob"));
	expect(BYTES("Zm9vYmE"), BYTES("fooba"));
	expect(BYTES("Zm9vY"), BYTES("foo"));
}

static void what_follows_padding_is_decoded_on(void **state)
{
	expect(BYTES("Zg==Zm8=Zm9v"), BYTES("ffofoo"));
}

static void decoding_stops_where_padding_first_closes(void **state)
{
	struct bytes in = BYTES("Zm8=Zm9v");
	struct base64 b = {0};
	const uint8_t *p = in.p;
	uint8_t out[32];

	assert_int_equal(base64_decode(&b, &p, in.p + in.len, out, sizeof(out)), 2);
	assert_true(b.padded);
	assert_ptr_equal(p, in.p + 4);
	assert_int_equal(base64_decode(&b, &p, in.p + in.len, out, sizeof(out)), 3);
	assert_ptr_equal(p, in.p + in.len);
}

/* Byte by byte takes the plain way through the decoder, whole the wide one, if the CPU has it. */
static void every_byte_at_every_place_decodes_alike(void **state)
{
	uint8_t in[48], want[64], got[64];

	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < sizeof(in); at++) {
			struct base64 slow = {0}, fast = {0};
			const uint8_t *p = in;
			size_t want_len = 0, got_len = 0;

			for (size_t i = 0; i < sizeof(in); i++)
				in[i] = "Zm9+YmF/MTIzQUJDYXo5"[(i + c) % 20];
			in[at] = (uint8_t)c;
			for (size_t i = 0; i < sizeof(in); i++) {
				const uint8_t *one = in + i;

				want_len += base64_decode(&slow, &one, one + 1, want + want_len,
							  sizeof(want) - want_len);
			}
			while (p < in + sizeof(in))
				got_len += base64_decode(&fast, &p, in + sizeof(in), got + got_len,
							 sizeof(got) - got_len);
			assert_int_equal(got_len, want_len);
			assert_memory_equal(got, want, want_len);
			assert_int_equal(slow.n, fast.n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_of_every_length_decode),
		cmocka_unit_test(what_is_not_of_the_alphabet_is_skipped),
		cmocka_unit_test(padding_may_be_missing),
		cmocka_unit_test(what_follows_padding_is_decoded_on),
		cmocka_unit_test(every_byte_at_every_place_decodes_alike),
		cmocka_unit_test(decoding_stops_where_padding_first_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
