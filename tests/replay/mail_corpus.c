/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every mail of the corpus, against what Python's email package found in it
 * (truth/mail.json), whole and in pieces. A difference must be in the file of
 * known differences (argv[2]: "NAME ASPECT REASON" a line), and each of those
 * must still be one. Exits 77 where there is no corpus. argv[1]: the corpus,
 * unless POSTERN_CORPUS names another.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/proto/mime_word.h"
#include "tests/replay/mail_seen.h"

#define KNOWN_MAX 128
#define MAIL_MAX  (8 << 20)

static const size_t pieces[] = {MAIL_MAX, 1, 2, 3, 61, 1448};

struct known {
	char name[160], aspect[16];
	bool met;
};

static struct known known[KNOWN_MAX];
static size_t known_count;
static unsigned failures;

static bool known_load(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	if (!f)
		return false;
	while (known_count < KNOWN_MAX && fgets(line, sizeof(line), f))
		if (line[0] != '#' && sscanf(line, "%159s %15s", known[known_count].name,
					     known[known_count].aspect) == 2)
			known_count++;
	fclose(f);
	return true;
}

static void differs(const char *name, const char *aspect, const char *got, const char *want)
{
	for (size_t i = 0; i < known_count; i++) {
		if (strcmp(known[i].name, name) == 0 && strcmp(known[i].aspect, aspect) == 0) {
			known[i].met = true;
			return;
		}
	}
	printf("%s %s: got \"%s\", want \"%s\"\n", name, aspect, got, want);
	failures++;
}

/* Unfolded and without blanks around it, as the parser hands a value out. */
static void unfold(char *out, size_t cap, const char *value)
{
	size_t n = 0;

	value += strspn(value, " \t\r\n");
	for (; *value && n < cap - 1; value++)
		if (*value != '\r' && *value != '\n')
			out[n++] = *value;
	while (n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
		n--;
	out[n] = 0;
}

/* Python writes U+FFFD for each byte that is not ASCII: it stands for any such byte here. */
static bool text_equal(const char *got, const char *want)
{
	while (*got && *want) {
		if (strncmp(want, "\xef\xbf\xbd", 3) == 0 && (uint8_t)*got >= 0x80) {
			want += 3;
			got++;
		} else if (*got++ != *want++) {
			return false;
		}
	}
	return !*got && !*want;
}

static void compare_header(const char *name, const struct seen_mail *seen, enum mime_header_id id,
			   const json_t *mail, const char *key)
{
	const char *want = json_string_value(json_object_get(mail, key));
	char unfolded[SEEN_STRING];

	unfold(unfolded, sizeof(unfolded), want ? want : "");
	if (seen->has[id] != !!want || (want && !text_equal(seen->raw[id], unfolded)))
		differs(name, key, seen->has[id] ? seen->raw[id] : "(none)",
			want ? unfolded : "(none)");
}

/* Character sets that the parser hands out undecoded (dataplane/proto/charset.h). */
static bool is_converted(const char *subject)
{
	static const char *const not_converted[] = {"=?gb", "=?big5", "=?euc-", "=?iso-2022-"};

	for (size_t i = 0; i < sizeof(not_converted) / sizeof(not_converted[0]); i++)
		if (strcasestr(subject, not_converted[i]))
			return false;
	return true;
}

static void compare_subject(const char *name, const struct seen_mail *seen, const json_t *mail)
{
	const char *want = json_string_value(json_object_get(mail, "subject_decoded"));
	char unfolded[SEEN_STRING];

	if (!want || !is_converted(seen->raw[MIME_HEADER_SUBJECT]))
		return;
	unfold(unfolded, sizeof(unfolded), want);
	if (!text_equal(seen->subject, unfolded))
		differs(name, "decoded", seen->subject, unfolded);
}

static void compare_string(const char *name, const char *aspect, const char *got,
			   const json_t *want)
{
	const char *s = json_string_value(want);

	if (strcmp(got, s ? s : "") != 0)
		differs(name, aspect, got, s ? s : "");
}

static void compare_encoding(const char *name, enum mime_encoding got, const json_t *want)
{
	static const char *const names[] = {"",      "7bit", "8bit", "binary", "quoted-printable",
					    "base64"};
	const char *s = json_string_value(want);

	if (got == MIME_ENCODING_OTHER) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcasecmp(s ? s : "", names[i]) == 0)
				differs(name, "encoding", "other", names[i]);
	} else if (strcasecmp(names[got], s ? s : "") != 0) {
		differs(name, "encoding", names[got], s ? s : "");
	}
}

static void compare_disposition(const char *name, enum mime_disposition got, const json_t *want)
{
	const char *s = json_string_value(want);
	enum mime_disposition expected = !s                         ? MIME_DISPOSITION_NONE
					 : strcmp(s, "inline") == 0 ? MIME_DISPOSITION_INLINE
								    : MIME_DISPOSITION_ATTACHMENT;

	if (got != expected)
		differs(name, "disposition", got ? "one" : "none", s ? s : "");
}

/* Python leaves encoded words in file names as they are. */
static void compare_filename(const char *name, const char *got, const json_t *want)
{
	const char *s = json_string_value(want);
	char unfolded[1024], decoded[1024];
	bool cut;
	size_t n;

	unfold(unfolded, sizeof(unfolded), s ? s : "");
	n = word_decode(bytes_of(unfolded, strlen(unfolded)), (uint8_t *)decoded,
			sizeof(decoded) - 1, &cut);
	decoded[n] = 0;
	if (!text_equal(got, decoded))
		differs(name, "filename", got, decoded);
}

static void compare_leaf(const char *name, const struct seen_part *got, const json_t *want)
{
	compare_string(name, "type", got->type, json_object_get(want, "content_type"));
	compare_encoding(name, got->encoding, json_object_get(want, "cte"));
	compare_disposition(name, got->disposition, json_object_get(want, "disposition"));
	compare_filename(name, got->filename, json_object_get(want, "filename"));
	compare_string(name, "content", got->sha256, json_object_get(want, "decoded_sha256"));
	if (got->bytes != (size_t)json_integer_value(json_object_get(want, "decoded_bytes")))
		differs(name, "content", "another length", "");
}

static void compare_leaves(const char *name, const struct seen_mail *seen, const json_t *leaves)
{
	char got[16], want[16];
	size_t n = 0, leaf = 0;

	for (size_t i = 0; i < seen->parts; i++)
		n += seen->part[i].leaf;
	if (n != json_array_size(leaves)) {
		snprintf(got, sizeof(got), "%zu", n);
		snprintf(want, sizeof(want), "%zu", json_array_size(leaves));
		differs(name, "leaves", got, want);
		return;
	}
	for (size_t i = 0; i < seen->parts; i++)
		if (seen->part[i].leaf)
			compare_leaf(name, &seen->part[i], json_array_get(leaves, leaf++));
}

static void compare_mail(const char *name, const struct seen_mail *seen, const json_t *mail)
{
	char got[16];

	compare_header(name, seen, MIME_HEADER_SUBJECT, mail, "subject_raw");
	compare_header(name, seen, MIME_HEADER_FROM, mail, "from");
	compare_header(name, seen, MIME_HEADER_TO, mail, "to");
	compare_header(name, seen, MIME_HEADER_CC, mail, "cc");
	compare_header(name, seen, MIME_HEADER_DATE, mail, "date");
	compare_header(name, seen, MIME_HEADER_MESSAGE_ID, mail, "message_id");
	compare_subject(name, seen, mail);
	snprintf(got, sizeof(got), "%zu", seen->headers);
	if (seen->headers != (size_t)json_integer_value(json_object_get(mail, "header_count")))
		differs(name, "headers", got, "another number");
	compare_leaves(name, seen, json_object_get(mail, "leaf_parts"));
}

static bool mail_check(const char *corpus, const char *name, const json_t *mail)
{
	static uint8_t data[MAIL_MAX];
	static struct seen_mail seen;
	char path[512];
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", corpus, name);
	f = fopen(path, "rb");
	if (!f) {
		printf("%s: can't be read\n", path);
		return false;
	}
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		mail_see(&seen, data, len, pieces[i]);
		compare_mail(name, &seen, mail);
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("POSTERN_CORPUS");
	char path[512];
	json_t *truth, *mail;
	const char *name;
	size_t count = 0;

	if (argc != 3 || !known_load(argv[2])) {
		fprintf(stderr, "usage: %s CORPUS KNOWN-DIFFERENCES\n", argv[0]);
		return 2;
	}
	if (!corpus)
		corpus = argv[1];
	snprintf(path, sizeof(path), "%s/truth/mail.json", corpus);
	truth = json_load_file(path, 0, NULL);
	if (!truth) {
		printf("skipped: no %s\n", path);
		return 77;
	}
	json_object_foreach(json_object_get(truth, "messages"), name, mail)
	{
		failures += !mail_check(corpus, name, mail);
		count++;
	}
	for (size_t i = 0; i < known_count; i++) {
		if (!known[i].met) {
			printf("%s %s: no difference any more\n", known[i].name, known[i].aspect);
			failures++;
		}
	}
	printf("%zu mails, %zu known differences, %u failures\n", count, known_count, failures);
	json_decref(truth);
	return failures || !count ? 1 : 0;
}
