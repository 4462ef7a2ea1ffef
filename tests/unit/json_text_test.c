/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/json_text.h"

#include "control/base/json_out.h"
#include "tests/unit/test.h"

static void shows(const char *bytes, size_t len, const char *text)
{
	json_t *json = json_text(bytes, len);

	assert_non_null(json);
	assert_string_equal(json_string_value(json), text);
	json_decref(json);
}

#define SHOWS(bytes, text) shows(bytes, sizeof(bytes) - 1, text)

static void utf8_is_itself(void **state)
{
	SHOWS("", "");
	shows(NULL, 0, "");
	SHOWS("plain \\ text", "plain \\ text");
	SHOWS("z\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xa7", "z\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xa7");
	SHOWS("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
	      "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

static void other_bytes_are_escaped(void **state)
{
	SHOWS("caf\xe9", "caf\\xe9");
	SHOWS("\x80", "\\x80");
	SHOWS("\xc0\xaf", "\\xc0\\xaf");                   /* overlong */
	SHOWS("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* overlong */
	SHOWS("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"); /* overlong */
	SHOWS("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
	SHOWS("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	SHOWS("\xf5", "\\xf5");
	SHOWS("a\xe2\x82", "a\\xe2\\x82"); /* cut */
	SHOWS("\xe2\x82z\xff", "\\xe2\\x82z\\xff");
}

static void an_escape_of_the_wire_is_told_apart(void **state)
{
	SHOWS("\\xe9", "\\x5cxe9");
	SHOWS("\\\\x", "\\\\x5cx");
	SHOWS("\\", "\\");
	SHOWS("\\X", "\\X");
}

/* Undoes json_text() as its header says. */
static size_t undone(const char *text, uint8_t *bytes)
{
	size_t at = 0;

	while (*text) {
		unsigned byte;

		if (text[0] == '\\' && text[1] == 'x') {
			assert_int_equal(sscanf(text + 2, "%2x", &byte), 1);
			bytes[at++] = (uint8_t)byte;
			text += 4;
		} else {
			bytes[at++] = (uint8_t)*text++;
		}
	}
	return at;
}

static void escaping_can_be_undone_and_is_utf8(void **state)
{
	static const uint8_t alphabet[] = {'\\', 'x',  '5',  'c',  0xc3, 0xbc, 0xe2, 0x82,
					   0xac, 0xed, 0xa0, 0xf0, 0x9f, 0xf4, 0x80, 'e'};
	uint32_t seed = 1;
	uint8_t in[12], out[48];

	for (int i = 0; i < 100000; i++) {
		json_t *json, *checked;

		for (size_t k = 0; k < sizeof(in); k++) {
			seed = seed * 1664525 + 1013904223;
			in[k] = alphabet[seed >> 28];
		}
		json = json_text(in, sizeof(in));
		assert_non_null(json);
		assert_int_equal(undone(json_string_value(json), out), sizeof(in));
		assert_memory_equal(in, out, sizeof(in));
		checked = json_string(json_string_value(json)); /* jansson's own UTF-8 check */
		assert_non_null(checked);
		json_decref(checked);
		json_decref(json);
	}
}

/* What was written so far, NUL-terminated, the caller's to free. */
static char *out_take(struct json_out *out)
{
	char *text;

	assert_false(out->failed);
	text = strndup(out->text, out->len);
	assert_non_null(text);
	json_out_fini(out);
	return text;
}

static void text_written_is_what_jansson_writes(void **state)
{
	static const uint8_t awkward[16] = "\x7f\t\r\n\b\f\v\"\\x\0a/\xc3\xa9~";
	uint32_t seed = 1;
	uint8_t in[12];

	for (int i = 0; i < 100000; i++) {
		struct json_out out;
		char buf[16], *expected, *text;
		json_t *json;

		for (size_t k = 0; k < sizeof(in); k++) {
			seed = seed * 1664525 + 1013904223;
			in[k] = i % 2 ? (uint8_t)(seed >> 24) : awkward[seed >> 28];
		}
		json = json_text(in, sizeof(in));
		expected = json_dumps(json, JSON_ENCODE_ANY);
		json_out_init(&out, buf, (size_t)i % sizeof(buf));
		json_out_text(&out, in, sizeof(in));
		text = out_take(&out);
		assert_string_equal(text, expected);
		free(text);
		free(expected);
		json_decref(json);
	}
}

static void out_is(uint64_t n, bool seconds, const char *expected)
{
	struct json_out out;
	char buf[64], *text;

	json_out_init(&out, buf, sizeof(buf));
	if (seconds)
		json_out_seconds(&out, n);
	else
		json_out_uint(&out, n);
	text = out_take(&out);
	assert_string_equal(text, expected);
	free(text);
}

static void numbers_are_exact(void **state)
{
	out_is(0, false, "0");
	out_is(1234567890, false, "1234567890");
	out_is(INT64_MAX, false, "9223372036854775807");
	out_is(UINT64_MAX, false, "9223372036854775807");
	out_is(0, true, "0.0");
	out_is(1, true, "0.000000001");
	out_is(1500000000, true, "1.5");
	out_is(86400000000000, true, "86400.0");
	out_is(UINT64_MAX, true, "18446744073.709551615");
}

static void a_long_line_moves_to_the_heap(void **state)
{
	struct json_out out;
	char buf[8], *text;

	json_out_init(&out, buf, sizeof(buf));
	for (int i = 0; i < 1000; i++)
		json_out_plain(&out, "0123456789");
	assert_ptr_equal(out.text, out.heap);
	text = out_take(&out);
	assert_int_equal(strlen(text), 10000);
	assert_int_equal(strspn(text + 9990, "0123456789"), 10);
	assert_string_equal(text + 9985, "567890123456789");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_itself),
		cmocka_unit_test(other_bytes_are_escaped),
		cmocka_unit_test(an_escape_of_the_wire_is_told_apart),
		cmocka_unit_test(escaping_can_be_undone_and_is_utf8),
		cmocka_unit_test(text_written_is_what_jansson_writes),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(a_long_line_moves_to_the_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
