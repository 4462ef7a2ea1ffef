/* SPDX-License-Identifier: BSD-3-Clause */
/* What is taken out of a body before anybody keeps it, and what stays. */
#include "dataplane/proto/redact.h"
#include "tests/unit/test.h"

static struct redact_piece whole(struct bytes text)
{
	return (struct redact_piece){
		.bytes = text, .from = 0, .to = text.len, .starts = true, .ends = true};
}

static void expect(const struct redact_piece *piece, struct bytes expected)
{
	uint8_t out[REDACT_ROOM(REDACT_MAX)];
	size_t len = redact(piece, out, sizeof(out));

	if (len != expected.len || memcmp(out, expected.p, len) != 0)
		fail_msg("\n  of       %.*s\n  expected %.*s\n  found    %.*s",
			 (int)piece->bytes.len, (const char *)piece->bytes.p, (int)expected.len,
			 (const char *)expected.p, (int)len, (const char *)out);
}

static const struct {
	struct bytes text, left;
} rows[] = {
#define ROW(text, left)                                           \
	{                                                         \
		{(const uint8_t *)(text), sizeof(text) - 1},      \
		{                                                 \
			(const uint8_t *)(left), sizeof(left) - 1 \
		}                                                 \
	}
	/* Addresses. */
	ROW("write to bob@example.org today", "write to [address] today"),
	ROW("<mailto:bob@example.org>", "<[address]>"),
	ROW("(bob@example.org, ann@example.org)", "([address], [address])"),
	ROW("bob%40example.org and bob&#64;example.org, bob&#x40;example.org",
	    "[address] and [address], [address]"),
	ROW("zo\xc3\xab@ex\xc3\xa4mple.org", "[address]"),
	ROW("a @ b", "a @ b"),
	ROW("\"john doe\"@example.org", "\"john doe\"[address]"),
	/* Numbers. */
	ROW("call +1 (212) 555-0100.", "call [number]."),
	ROW("card 4111 1111 1111 1111, exp", "card [number], exp"),
	ROW("4111\xc2\xa0"
	    "1111\xc2\xa0"
	    "1111\xc2\xa0"
	    "1111",
	    "[number]"),
	ROW("4111 1111\r\n1111 1111", "[number]"),
	ROW("in 2026 we sold 12345 of them", "in 2026 we sold 12345 of them"),
	ROW("from 192.0.2.10 and 198.51.100.7", "from [number] and [number]"),
	ROW("IBAN DE89 3704 0044 0532 0130 00", "IBAN DE[number]"),
	ROW("on 2026-11-26", "on [number]"),
	ROW("at 10:15:30, 20 percent", "at 10:15:30, 20 percent"),
	/* URLs. */
	ROW("see https://shop.example/buy/now for it", "see https://shop.example/buy/now for it"),
	ROW("https://ann:pw@shop.example/buy?x=1&t=abc", "https://[user]@shop.example/buy?[query]"),
	ROW("<a href=\"http://x.example/a#frag\">", "<a href=\"http://x.example/a#[query]\">"),
	ROW("/reset?token=abc here", "/reset?[query] here"),
	ROW("why? because", "why? because"),
	ROW("bob@example.orghttps://x.example/a", "[address]x.example/a"),
	ROW("https://x.example/unsubscribe/bob@example.org/now",
	    "https://x.example/unsubscribe/[address]/now"),
	ROW("https://x.example/t/8f14e45fceea167a5a36dedd4bea2543/open",
	    "https://x.example/t/[secret]/open"),
	/* Secrets. */
	ROW("your password: hunter2 opens it", "your password: [secret] opens it"),
	ROW("your password is \"hunter2\" now", "your password is \"[secret]\" now"),
	ROW("Password:</b> <i>hunter2</i>", "Password:</b> <i>[secret]</i>"),
	ROW("a password reset", "a password reset"),
	ROW("the code 123456 opens", "the code [secret] opens"),
	ROW("db_password=abc;", "db_password=[secret]"),
	ROW("Authorization: Basic dXNlcg==\r\nX", "Authorization: [secret]\nX"),
	ROW("PIN:\r\n1234", "PIN:\r\n[secret]"),
	ROW("passphrase: correct horse battery\nnext", "passphrase: [secret]\nnext"),
	ROW("compass: north", "compass: north"),
	ROW("eyJhbGciOiJIUzI1NiIs.eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4fw",
	    "[secret].[secret].[secret]"),
	ROW("AbCdEfGhIjKlMnOpQrStUvWxYz", "[secret]"),
	ROW("Content-Transfer-Encoding", "Content-Transfer-Encoding"),
	ROW("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nrest",
	    "[secret] PRIVATE KEY-----\nrest"),
	ROW("MIIB\n-----END PRIVATE KEY-----", "[secret] PRIVATE KEY-----"),
	ROW("so -----BEGIN PRIVATE KEY-----\nMIIB", "so [secret]"),
	/* Sixteen bits a letter. */
	ROW("b\0o\0b\0@\0x\0.\0o\0r\0g\0", "[address]"),
	ROW("\0c\0a\0l\0l\0 \0"
	    "5\0"
	    "5\0"
	    "5\0"
	    "0\0"
	    "1\0"
	    "0\0"
	    "0",
	    "call [number]"),
	/* What is none of it. */
	ROW("", ""),
	ROW("Dear Ann, win a prize!\r\n", "Dear Ann, win a prize!\r\n"),
	ROW("\0\xff\x01MZ\0\0", "\0\xff\x01MZ\0\0"),
	ROW("X5O!P%@AP[4", "[address][4"),
};

static void what_tells_of_people_goes_and_the_rest_stays(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct redact_piece piece = whole(rows[i].text);

		expect(&piece, rows[i].left);
	}
}

/* Of something that is asked for in part there is one mark, wherever the cut is. */
static void a_cut_shows_nothing_of_what_it_cuts(void **state)
{
	static const char text[] = "see bob@example.org or +1 212 555 0100 pw=hunter2 end of it";
	uint8_t out[REDACT_ROOM(sizeof(text))];

	for (size_t from = 0; from < sizeof(text); from++) {
		for (size_t to = from; to < sizeof(text); to++) {
			struct redact_piece piece = whole(bytes_of(text, sizeof(text) - 1));
			size_t len;

			piece.from = from;
			piece.to = to;
			len = redact(&piece, out, sizeof(out));
			for (size_t i = 0; i < len; i++)
				assert_false(out[i] == '@' || (out[i] >= '0' && out[i] <= '9'));
			assert_null(memmem(out, len, "bob", 3));
			assert_null(memmem(out, len, "unter", 5));
		}
	}
}

/* Whatever goes on beyond the piece may be anything. */
static void what_the_piece_cuts_off_is_not_shown(void **state)
{
	struct redact_piece piece = whole(BYTES("example.org> and then bob.of.no"));

	piece.starts = piece.ends = false;
	expect(&piece, BYTES("[cut]> and then [cut]"));
	piece = whole(BYTES(" 11 said; call 55 1"));
	piece.starts = piece.ends = false;
	expect(&piece, BYTES(" [number] said; call [number] [cut]"));
	piece = whole(BYTES("example.org> and then bob.of.no"));
	expect(&piece, BYTES("example.org> and then bob.of.no"));
}

static void there_is_never_more_than_there_is_room_for(void **state)
{
	static const char text[] = "a@b 5550100 x@y pw=1 https://u@h/?q=1 ";
	struct redact_piece piece = whole(bytes_of(text, sizeof(text) - 1));
	uint8_t all[REDACT_ROOM(sizeof(text))];
	const size_t len = redact(&piece, all, sizeof(all));

	assert_true(len < sizeof(all));
	for (size_t room = 0; room <= len; room++) {
		uint8_t *out = malloc(room + 1); /* of no byte more: the sanitizer watches */

		assert_non_null(out);
		out = realloc(out, room ? room : 1);
		assert_true(redact(&piece, out, room) <= room);
		free(out);
	}
}

static void a_long_piece_is_cut(void **state)
{
	static uint8_t text[2 * REDACT_MAX], out[REDACT_ROOM(REDACT_MAX)];
	struct redact_piece piece = whole(bytes_of(text, sizeof(text)));

	memset(text, ' ', sizeof(text));
	assert_int_equal(redact(&piece, out, sizeof(out)), REDACT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tells_of_people_goes_and_the_rest_stays),
		cmocka_unit_test(a_cut_shows_nothing_of_what_it_cuts),
		cmocka_unit_test(what_the_piece_cuts_off_is_not_shown),
		cmocka_unit_test(there_is_never_more_than_there_is_room_for),
		cmocka_unit_test(a_long_piece_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
