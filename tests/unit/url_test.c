/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/url.h"
#include "tests/unit/test.h"

struct seen {
	char text[4096]; /* each URL and '\n'; '+' before it when it was cut */
	size_t len;
};

static void on_url(void *ctx, struct bytes url, bool cut)
{
	struct seen *seen = ctx;

	assert_true(seen->len + url.len + 2 < sizeof(seen->text));
	if (cut)
		seen->text[seen->len++] = '+';
	memcpy(seen->text + seen->len, url.p, url.len);
	seen->len += url.len;
	seen->text[seen->len++] = '\n';
	seen->text[seen->len] = 0;
}

static void run(struct seen *seen, const char *in, size_t len, size_t first, size_t piece)
{
	struct url_scan u;

	seen->len = 0;
	seen->text[0] = 0;
	url_init(&u);
	url_feed(&u, bytes_of(in, first), on_url, seen);
	for (size_t at = first; at < len; at += piece)
		url_feed(&u, bytes_of(in + at, len - at < piece ? len - at : piece), on_url, seen);
	url_finish(&u, on_url, seen);
}

/* Whole, cut at every byte, and byte by byte. */
static void expect(const char *in, const char *want)
{
	struct seen seen;
	size_t len = strlen(in);

	for (size_t first = 0; first <= len; first++) {
		run(&seen, in, len, first, len + 1);
		assert_string_equal(seen.text, want);
	}
	run(&seen, in, len, 0, 1);
	assert_string_equal(seen.text, want);
}

/* At every place of what is looked at in one step, and with every rest behind it. */
static void urls_are_found_wherever_they_stand(void **state)
{
	static const char url[] = "WWW.x.example/";
	struct seen seen;
	char text[256];

	for (size_t at = 0; at < 100; at++) {
		for (size_t rest = 0; rest < 70; rest++) {
			memset(text, at & 1 ? '.' : ' ', sizeof(text));
			memcpy(text + at, url, sizeof(url) - 1);
			text[at + sizeof(url) - 1] = ' ';
			run(&seen, text, at + sizeof(url) - 1 + rest, 0, sizeof(text));
			assert_string_equal(seen.text, "WWW.x.example/\n");
		}
	}
}

static void urls_in_plain_text_are_found(void **state)
{
	expect("see http://example.org/a?b=c#d now", "http://example.org/a?b=c#d\n");
	expect("HTTPS://Example.ORG:8443/", "HTTPS://Example.ORG:8443/\n");
	expect("ftp://h/x mailto:a@b.example www.example.com/y",
	       "ftp://h/x\nmailto:a@b.example\nwww.example.com/y\n");
	expect("<http://a.example>,\"http://b.example\"", "http://a.example\nhttp://b.example\n");
	expect("Clickhttp://glued.example/", "http://glued.example/\n");
	expect("http://[2001:db8::1]/x http://caf\xc3\xa9.example/",
	       "http://[2001:db8::1]/x\nhttp://caf\xc3\xa9.example/\n");
}

static void the_sentence_keeps_its_punctuation(void **state)
{
	expect("at http://a.example/x. Or", "http://a.example/x\n");
	expect("(http://a.example/(x)?!), [http://b.example]",
	       "http://a.example/(x)\nhttp://b.example\n");
	expect("[text](http://a.example)", "http://a.example\n");
}

static void urls_in_html_are_found(void **state)
{
	expect("<a href=\"http://a.example/?x=1&amp;y=2\">", "http://a.example/?x=1&y=2\n");
	expect("<a href='http://a.example/x'>it's</a>", "http://a.example/x\n");
	expect("<a href=http://a.example/x>here</a>", "http://a.example/x\n");
	expect("style=\"background:url(http://a.example/i.png);color:red\"",
	       "http://a.example/i.png\n");
}

static void an_apostrophe_inside_is_the_urls(void **state)
{
	expect("http://a.example/it's/x'", "http://a.example/it's/x\n");
}

static void what_only_looks_like_one_is_none(void **state)
{
	expect("http: //x http:/x http:x http:", "");
	expect("http:// https://\" mailto: www. www...", "");
	expect("xmailto:a@b awww.example.com sftp://h/", "");
	expect("a: b. c:d www", "");
}

static void one_begins_where_another_failed(void **state)
{
	expect("http:/http://a.example", "http://a.example\n");
	expect("http:www.example.com", "www.example.com\n");
	expect("http:http:http://a.example", "http://a.example\n");
}

static void a_url_in_a_url_is_part_of_it(void **state)
{
	expect("http://a.example/?u=http://b.example/", "http://a.example/?u=http://b.example/\n");
}

static void a_long_url_is_cut_and_said_so(void **state)
{
	struct seen seen;
	static char in[3 * URL_MAX];

	memset(in, 'x', sizeof(in));
	memcpy(in, "http://", 7);
	in[2 * URL_MAX] = ' ';
	memcpy(in + 2 * URL_MAX + 1, "http://y ", 9);
	for (size_t first = 0; first < sizeof(in); first += 97) {
		run(&seen, in, sizeof(in), first, 61);
		assert_int_equal(seen.len, 1 + URL_MAX + 1 + sizeof("http://y"));
		assert_int_equal(seen.text[0], '+');
		assert_memory_equal(seen.text + 1, in, URL_MAX);
		assert_string_equal(seen.text + 1 + URL_MAX, "\nhttp://y\n");
	}
}

static void texts_do_not_run_into_each_other(void **state)
{
	struct seen seen = {0};
	struct url_scan u;

	url_init(&u);
	url_feed(&u, BYTES("http"), on_url, &seen);
	url_finish(&u, on_url, &seen);
	url_feed(&u, BYTES("://a.example http://b"), on_url, &seen);
	url_finish(&u, on_url, &seen);
	url_feed(&u, BYTES(".example"), on_url, &seen);
	url_finish(&u, on_url, &seen);
	assert_string_equal(seen.text, "http://b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_found_wherever_they_stand),
		cmocka_unit_test(urls_in_plain_text_are_found),
		cmocka_unit_test(the_sentence_keeps_its_punctuation),
		cmocka_unit_test(urls_in_html_are_found),
		cmocka_unit_test(an_apostrophe_inside_is_the_urls),
		cmocka_unit_test(what_only_looks_like_one_is_none),
		cmocka_unit_test(one_begins_where_another_failed),
		cmocka_unit_test(a_url_in_a_url_is_part_of_it),
		cmocka_unit_test(a_long_url_is_cut_and_said_so),
		cmocka_unit_test(texts_do_not_run_into_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
