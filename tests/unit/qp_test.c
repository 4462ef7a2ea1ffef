/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/qp.h"
#include "tests/unit/test.h"

static void expect_pieces(struct bytes in, struct bytes want, size_t piece, size_t cap)
{
	struct qp state = {0};
	uint8_t out[512];
	size_t n = 0;

	for (size_t at = 0; at < in.len; at += piece) {
		const uint8_t *p = in.p + at;
		const uint8_t *end = p + (in.len - at < piece ? in.len - at : piece);

		while (p < end)
			n += qp_decode(&state, &p, end, out + n, cap);
	}
	n += qp_finish(&state, out + n);
	assert_int_equal(n, want.len);
	assert_memory_equal(out, want.p, n);
}

static void expect(struct bytes in, struct bytes want)
{
	for (size_t piece = 1; piece <= in.len + 1; piece++) {
		expect_pieces(in, want, piece, QP_ROOM);
		expect_pieces(in, want, piece, 128);
	}
}

static void escapes_decode(void **state)
{
	expect(BYTES("a=3Db=0D=0a=e9=FF=00"), BYTES("a=b\r\n\xe9\xff\0"));
}

static void soft_breaks_vanish(void **state)
{
	expect(BYTES("one=\r\n two=\nthree"), BYTES("one twothree"));
	expect(BYTES("pad= \t \r\nded= \nline"), BYTES("paddedline"));
	expect(BYTES("=\r\n=\r\n"), BYTES(""));
}

static void blanks_before_a_hard_break_stay(void **state)
{
	expect(BYTES("a \t\r\nb"), BYTES("a \t\r\nb"));
}

static void broken_escapes_stay(void **state)
{
	expect(BYTES("=zz =4 =4z = x =\rx"), BYTES("=zz =4 =4z = x =\rx"));
	expect(BYTES("==41==="), BYTES("=A=="));
	expect(BYTES("=4=\r\n1"), BYTES("=41"));
	expect(BYTES("=4\n1"), BYTES("=4\n1"));
	expect(BYTES("end =4"), BYTES("end =4"));
}

/* Its line end was a delimiter's (RFC 2046 5.1.1). */
static void a_soft_break_may_end_the_part(void **state)
{
	expect(BYTES("end="), BYTES("end"));
	expect(BYTES("end= \r"), BYTES("end"));
	expect(BYTES("end=4"), BYTES("end=4"));
}

/* Where a break's blanks are too many to hold back depends on them alone, not on the pieces. */
static void more_blanks_than_are_held_are_no_soft_break(void **state)
{
	char in[QP_PENDING + 16];

	memset(in, ' ', sizeof(in));
	in[0] = '=';
	in[QP_PENDING] = '\n';
	expect(bytes_of(in, QP_PENDING + 1), BYTES(""));
	in[QP_PENDING] = ' ';
	in[QP_PENDING + 1] = '\n';
	expect(bytes_of(in, QP_PENDING + 2), bytes_of(in, QP_PENDING + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_decode),
		cmocka_unit_test(soft_breaks_vanish),
		cmocka_unit_test(blanks_before_a_hard_break_stay),
		cmocka_unit_test(broken_escapes_stay),
		cmocka_unit_test(a_soft_break_may_end_the_part),
		cmocka_unit_test(more_blanks_than_are_held_are_no_soft_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
