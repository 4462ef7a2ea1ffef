/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/tls_hello.h"
#include "tests/unit/test.h"

/* A ClientHello with one other extension before the server's name. */
static const uint8_t hello[] = {
	0x16, 0x03, 0x01, 0x00, 0x50,                  /* record: 80 bytes */
	0x01, 0x00, 0x00, 0x4c,                        /* ClientHello: 76 bytes */
	0x03, 0x03,                                    /* version */
	1,    2,    3,    4,    5,    6,    7,    8,   /* random */
	9,    10,   11,   12,   13,   14,   15,   16,  /* */
	17,   18,   19,   20,   21,   22,   23,   24,  /* */
	25,   26,   27,   28,   29,   30,   31,   32,  /* */
	0x02, 0xaa, 0xbb,                              /* session id */
	0x00, 0x02, 0x13, 0x01,                        /* cipher suites */
	0x01, 0x00,                                    /* compression */
	0x00, 0x1f,                                    /* extensions: 31 bytes */
	0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04,      /* supported_versions */
	0x00, 0x00, 0x00, 0x14, 0x00, 0x12,            /* server_name, list */
	0x00, 0x00, 0x0f,                              /* host_name, 15 bytes */
	'm',  'x',  '.',  'e',  'x',  'a',  'm',  'p', /* */
	'l',  'e',  '.',  'n',  'e',  't',  0x00,      /* a NUL at its end, as it came */
};

static void the_name_is_found_behind_other_extensions(void **state)
{
	struct bytes name = tls_server_name(bytes_of(hello, sizeof(hello)));

	assert_int_equal(name.len, 15);
	assert_memory_equal(name.p, "mx.example.net", 15);
}

/* Whatever is cut off: no name, or the part of it that is there; never a byte beyond. */
static void a_cut_hello_is_read_as_far_as_it_goes(void **state)
{
	for (size_t len = 0; len < sizeof(hello); len++) {
		uint8_t *copy = malloc(len ? len : 1);
		struct bytes name;

		memcpy(copy, hello, len);
		name = tls_server_name(bytes_of(copy, len));
		assert_true(name.len < 15);
		if (name.len)
			assert_true(name.p >= copy && name.p + name.len <= copy + len);
		free(copy);
	}
}

static void what_is_no_client_hello_has_no_name(void **state)
{
	uint8_t other[sizeof(hello)];

	memcpy(other, hello, sizeof(hello));
	other[5] = 2; /* a ServerHello */
	assert_int_equal(tls_server_name(bytes_of(other, sizeof(other))).len, 0);
	assert_int_equal(tls_server_name(BYTES("EHLO client.example.org\r\n")).len, 0);
	assert_false(tls_is_hello(BYTES("EHLO client.example.org\r\n")));
	assert_false(tls_is_hello(bytes_of(hello, 0)));
	for (size_t len = 1; len <= 3; len++)
		assert_true(tls_is_hello(bytes_of(hello, len)));
	assert_false(tls_is_hello(BYTES("\x16\x04\x01")));
	assert_false(tls_is_hello(BYTES("\x16\x03\x05")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_found_behind_other_extensions),
		cmocka_unit_test(a_cut_hello_is_read_as_far_as_it_goes),
		cmocka_unit_test(what_is_no_client_hello_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
