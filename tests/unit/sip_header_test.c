/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers against a plain reader of them: any bytes, of any length, with an unreadable page
 * right behind.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/proto/sip.h"
#include "tests/unit/test.h"

#define ROOM 4096

static uint8_t *guard; /* ROOM bytes before an unreadable page end here */

static int setup(void **state)
{
	uint8_t *p =
		mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(sysconf(_SC_PAGESIZE) == ROOM);
	assert_true(p != MAP_FAILED && mprotect(p + ROOM, ROOM, PROT_NONE) == 0);
	guard = p + ROOM;
	return 0;
}

static enum sip_header_id plain_id(struct bytes name)
{
	static const struct {
		const char *name;
		char compact;
	} known[] = {{"", 0},
#define X(id, name, compact) {name, compact},
		     SIP_HEADERS(X)
#undef X
	};

	for (unsigned id = 1; id < SIP_HEADER_COUNT; id++) {
		if (name.len == strlen(known[id].name) &&
		    strncasecmp((const char *)name.p, known[id].name, name.len) == 0)
			return (enum sip_header_id)id;
		if (name.len == 1 && known[id].compact &&
		    ascii_lower(name.p[0]) == known[id].compact)
			return (enum sip_header_id)id;
	}
	return SIP_HEADER_OTHER;
}

/* Offset of the first c in [at, len), or len. */
static size_t plain_find(const uint8_t *p, size_t at, size_t len, uint8_t c)
{
	while (at < len && p[at] != c)
		at++;
	return at;
}

static enum sip_header_next plain_next(struct bytes *rest, struct sip_header *out, uint32_t *flags)
{
	const uint8_t *p = rest->p;
	size_t len = rest->len, end = 0, next = 0;
	bool ended = true, first = true, folded = false;

	if (len == 0)
		return SIP_HEADER_UNEND;
	while (first || (ended && end && next < len && (p[next] == ' ' || p[next] == '\t'))) {
		size_t lf = plain_find(p, next, len, '\n');
		size_t begin = next;

		ended = lf < len;
		next = ended ? lf + 1 : len;
		end = lf;
		if (ended && lf > begin && p[lf - 1] == '\r')
			end--;
		else if (ended)
			*flags |= SIP_FLAG_BARE_LF;
		folded = !first;
		first = false;
	}
	*rest = bytes_of(p + next, len - next);
	if (end == 0 || (!ended && end == 1 && p[0] == '\r'))
		return ended ? SIP_HEADER_END : SIP_HEADER_UNEND;

	size_t colon = plain_find(p, 0, end, ':');

	out->name = bytes_trim(bytes_of(p, colon));
	if (colon == end || p[0] == ' ' || p[0] == '\t' || !sip_is_token(out->name))
		return SIP_HEADER_BAD;
	out->value = bytes_trim(bytes_of(p + colon + 1, end - colon - 1));
	out->id = (uint8_t)plain_id(out->name);
	out->folded = folded && plain_find(out->value.p, 0, out->value.len, '\n') < out->value.len;
	return SIP_HEADER_FOUND;
}

static void compare(struct bytes text)
{
	struct bytes got = text, want = text;
	enum sip_header_next a, b;

	do {
		struct sip_header h = {0}, plain = {0};
		uint32_t flags = 0, plain_flags = 0;

		a = sip_header_next(&got, &h, &flags);
		b = plain_next(&want, &plain, &plain_flags);
		assert_int_equal(a, b);
		assert_int_equal(flags, plain_flags);
		assert_ptr_equal(got.p, want.p);
		assert_int_equal(got.len, want.len);
		if (a != SIP_HEADER_FOUND)
			continue;
		assert_ptr_equal(h.name.p, plain.name.p);
		assert_int_equal(h.name.len, plain.name.len);
		assert_int_equal(h.value.len, plain.value.len);
		assert_true(!h.value.len || h.value.p == plain.value.p);
		assert_int_equal(h.id, plain.id);
		assert_int_equal(h.folded, plain.folded);
	} while (a < SIP_HEADER_END);
}

/* A line end at each place of texts of each length, which lie at each alignment. */
static void a_line_ends_where_its_lf_is(void **state)
{
	for (size_t len = 1; len < 150; len++) {
		uint8_t *text = guard - len;

		memset(text, 'a', len);
		compare(bytes_of(text, len));
		for (size_t at = 0; at < len; at++) {
			text[at] = '\n';
			text[at / 2] = ':';
			compare(bytes_of(text, len));
			compare(bytes_of(text, len - 1));
			text[at] = text[at / 2] = 'a';
		}
	}
}

static void any_bytes_are_read_as_plainly(void **state)
{
	static const char *const pieces[] = {
		"\r\n",
		"\n",
		"\r",
		":",
		": ",
		" ",
		"\t",
		"\r\n ",
		"x",
		"To",
		"tO:",
		"Via",
		"v:",
		"-",
		"Call-ID:",
		"cALL-iD",
		"Call\rID:",
		"Contact: ",
		"i",
		"\0",
		"\xff",
		"CSeq",
		"@",
		"Content-Length: 0\r\n",
		"Authorization:",
		"Proxy-Authorization:",
		"P-Preferred-Identity: <sip:a@b>\r\n",
		"User-Agent: a value that is longer than what is looked at in one go\r\n",
		"X-Something-Else:y",
		"Max-Forwards:70",
		"\r\n\r\n",
	};
	uint64_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		uint8_t text[1024];
		size_t len = 0;

		for (int n = 0; n < 1 + i % 12; n++) {
			const char *piece;
			size_t size;

			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			piece = pieces[(seed >> 33) % (sizeof(pieces) / sizeof(pieces[0]))];
			size = *piece ? strlen(piece) : 1;
			memcpy(text + len, piece, size);
			len += size;
		}
		compare(bytes_of(memcpy(guard - len, text, len), len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_ends_where_its_lf_is),
		cmocka_unit_test(any_bytes_are_read_as_plainly),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
