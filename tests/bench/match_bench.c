/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the matcher costs above bare Hyperscan, in one run on one core.
 *
 * 1,000 rules on email.body (700 literals, 300 expressions led by a literal)
 * over body-like text in pieces of 500 to 900 bytes, 32 KiB a message. Against
 * two bare hs_scan_stream() loops over the same pieces: the ruleset's own
 * database of literals, and all 1,000 patterns as Hyperscan would run them
 * itself. Prints the median of the rounds and their spread.
 */
#include <hs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/rules_fixture.h"

#define PATTERNS     1000
#define LITERALS     700
#define TEXT_SIZE    (8u << 20)
#define MESSAGE_SIZE 32768
#define ROUNDS       9

static uint64_t seed = 42;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % n);
}

static char words[4000][16];
static char patterns[PATTERNS][64];
static char *text;

static void make_word(char *out)
{
	static const char *const onset[] = {"b", "c", "d", "f", "g", "h",  "l",  "m",  "n",
					    "p", "r", "s", "t", "v", "st", "tr", "pl", "ch"};
	static const char *const vowel[] = {"a", "e", "i", "o", "u", "ea", "ou", "er", "in", "on"};

	*out = '\0';
	for (uint32_t n = 2 + rnd(2); n > 0; n--) {
		strcat(out, onset[rnd(18)]);
		strcat(out, vowel[rnd(10)]);
	}
}

/* `common` in a hundred are made of the text's commonest words: their literals are there all the
 * time. */
static void make_pattern(char *out, bool regex, uint32_t common)
{
	bool from_text = rnd(100) < common;
	uint32_t from = from_text ? 0 : 2000, n = from_text ? 200 : 2000;

	const char *extra = from_text ? "" : words[from + rnd(n)];

	snprintf(out, sizeof(patterns[0]), regex ? "%s%s %s[a-z ]{1,12}%s" : "%s%s %s", extra,
		 words[from + rnd(n)], words[from + rnd(n)], words[from + rnd(n)]);
}

static void make_text(void)
{
	size_t at = 0, line = 0;

	text = malloc(TEXT_SIZE + 32);
	if (!text)
		exit(1);
	while (at < TEXT_SIZE) {
		/* As in a language: few words are most of the text. */
		const char *word = words[rnd(rnd(8) ? 200 : 2000)];
		size_t n = strlen(word);

		memcpy(text + at, word, n);
		at += n;
		line += n + 1;
		text[at++] = line > 70 ? '\n' : ' ';
		line = line > 70 ? 0 : line;
	}
}

static char *make_rules(uint32_t common)
{
	char *rules;
	size_t size;
	FILE *f = open_memstream(&rules, &size);

	for (int i = 0; i < PATTERNS; i++) {
		make_pattern(patterns[i], i >= LITERALS, common);
		fprintf(f,
			"alert smtp any any -> any any (msg:\"b\"; email.body; %s%s%s; sid:%d;)\n",
			i < LITERALS ? "content:\"" : "pcre:\"/", patterns[i],
			i < LITERALS ? "\"" : "/\"", i + 1);
	}
	fclose(f);
	return rules;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The same pieces for everybody. */
static size_t piece_size(size_t at)
{
	size_t n = 500 + (at * 2654435761u >> 7) % 401;

	return n < MESSAGE_SIZE - at % MESSAGE_SIZE ? n : MESSAGE_SIZE - at % MESSAGE_SIZE;
}

static uint64_t matcher_hits;

static double run_matcher(struct rules_fixture *f)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;
	double start = now();

	for (size_t at = 0; at < TEXT_SIZE;) {
		size_t n = piece_size(at);

		if (at % MESSAGE_SIZE == 0) {
			match_begin(f->matcher, &txn, &flow, NULL);
			match_stream_open(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY);
		}
		match_stream_feed(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY, text + at, n);
		at += n;
		if (at % MESSAGE_SIZE == 0) {
			match_stream_close(f->matcher, &txn, RULE_BUFFER_EMAIL_BODY);
			match_end(f->matcher, &txn);
		}
		matcher_hits += f->matcher->nhits;
		f->matcher->nhits = 0;
	}
	return now() - start;
}

struct bare {
	hs_database_t *db;
	hs_scratch_t *scratch;
	hs_stream_t *stream;
	uint64_t hits;
};

static int on_match(unsigned int id, unsigned long long from, unsigned long long to,
		    unsigned int flags, void *context)
{
	((struct bare *)context)->hits++;
	return 0;
}

static double run_bare(struct bare *b)
{
	double start = now();

	for (size_t at = 0; at < TEXT_SIZE;) {
		size_t n = piece_size(at);

		hs_scan_stream(b->stream, text + at, (unsigned)n, 0, b->scratch, on_match, b);
		at += n;
		if (at % MESSAGE_SIZE == 0)
			hs_reset_stream(b->stream, 0, b->scratch, on_match, b);
	}
	return now() - start;
}

static void bare_open(struct bare *b)
{
	if (hs_alloc_scratch(b->db, &b->scratch) != HS_SUCCESS ||
	    hs_open_stream(b->db, 0, &b->stream) != HS_SUCCESS)
		exit(1);
}

static void bare_all(struct bare *b)
{
	const char *expressions[PATTERNS];
	unsigned flags[PATTERNS], ids[PATTERNS];
	hs_compile_error_t *error;

	for (unsigned i = 0; i < PATTERNS; i++) {
		expressions[i] = patterns[i];
		flags[i] = HS_FLAG_SINGLEMATCH;
		ids[i] = i;
	}
	if (hs_compile_multi(expressions, flags, ids, PATTERNS, HS_MODE_STREAM, NULL, &b->db,
			     &error) != HS_SUCCESS)
		exit(1);
	bare_open(b);
}

static void bare_literals(struct bare *b, const struct ruleset_image *image)
{
	const struct ruleset_shard *db = RULESET_AT(image, struct ruleset_shard, shards) +
					 image->db[RULE_BUFFER_EMAIL_BODY].shards.offset;

	if (hs_deserialize_database((const char *)image + db->offset, db->size, &b->db) !=
	    HS_SUCCESS)
		exit(1);
	bare_open(b);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void say(const char *name, double *values, const char *unit)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	printf("%-34s %6.3f %s (%.3f to %.3f)\n", name, values[ROUNDS / 2], unit, values[0],
	       values[ROUNDS - 1]);
}

static void bare_close(struct bare *b)
{
	hs_close_stream(b->stream, NULL, NULL, NULL);
	hs_free_scratch(b->scratch);
	hs_free_database(b->db);
}

static void measure(const char *name, uint32_t common)
{
	struct rules_fixture f;
	struct bare literals = {0}, all = {0};
	double gbits[3][ROUNDS], to_literals[ROUNDS], to_all[ROUNDS];
	size_t size;
	char *rules = make_rules(common);

	matcher_hits = 0;
	rules_fixture_init(&f, rules);
	if (!f.matcher)
		exit(1);
	bare_literals(&literals, f.image);
	bare_all(&all);
	hs_stream_size(all.db, &size);
	printf("== %s: %zu rules, built in %.1f ms, image %zu bytes\n", name, f.stats.rules,
	       (double)f.stats.build_ns / 1e6, f.stats.image_bytes);
	printf("bytes a stream: hyperscan %zu, with tail and groups %zu; bare with all patterns "
	       "%zu\n",
	       f.stats.stream_bytes[RULE_BUFFER_EMAIL_BODY],
	       ruleset_stream_bytes(f.ruleset, RULE_BUFFER_EMAIL_BODY), size);
	for (int r = -1; r < ROUNDS; r++) { /* the first warms up */
		double a = run_matcher(&f), b = run_bare(&literals), c = run_bare(&all);
		double bits = TEXT_SIZE * 8.0 / 1e9;

		if (r < 0)
			continue;
		gbits[0][r] = bits / a;
		gbits[1][r] = bits / b;
		gbits[2][r] = bits / c;
		to_literals[r] = b / a;
		to_all[r] = c / a;
	}
	say("matcher", gbits[0], "Gbit/s");
	say("bare, the matcher's literals", gbits[1], "Gbit/s");
	say("bare, all patterns", gbits[2], "Gbit/s");
	say("matcher / bare literals", to_literals, "");
	say("matcher / bare all patterns", to_all, "");
	printf("literals found %lu, confirmed %lu, refuted %lu; hits %lu, of bare Hyperscan %lu\n",
	       (unsigned long)f.matcher->stats.literals, (unsigned long)f.matcher->stats.confirmed,
	       (unsigned long)f.matcher->stats.refuted, (unsigned long)matcher_hits,
	       (unsigned long)all.hits);
	bare_close(&literals);
	bare_close(&all);
	rules_fixture_fini(&f);
	free(rules);
}

int main(void)
{
	for (int i = 0; i < 4000; i++)
		make_word(words[i]);
	make_text();
	measure("literals that the text hardly has", 0);
	measure("one in ten of the text's own words", 10);
	free(text);
	return 0;
}
