/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset: values of a file; what is no value, and where a file may not be. */
#include <netinet/in.h>

#include "tests/rules_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define HEAD "alert smtp any any -> any any (msg:\"t\"; "

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Rules that stand in the scratch directory. */
static void parse(struct rules_fixture *f, const char *text)
{
	char path[128];

	memset(f, 0, sizeof(*f));
	snprintf(path, sizeof(path), "%s/x.rules", scratch_dir);
	rules_parse(&f->list, &f->diags, NULL, path, text, strlen(text));
	rules_fixture_build(f);
}

static unsigned hits(struct rules_fixture *f, enum rule_buffer buffer, const char *text)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn;
	unsigned n;

	match_begin(f->matcher, &txn, &flow, NULL);
	match_block(f->matcher, &txn, buffer, text, strlen(text));
	match_end(f->matcher, &txn);
	n = f->matcher->nhits;
	f->matcher->nhits = 0;
	return n;
}

static void a_buffer_is_one_of_a_files_values(void **state)
{
	struct rules_fixture f;

	/* "spam@example.org", "a", "ab", an empty line, a comment */
	write_file("from.lst", "c3BhbUBleGFtcGxlLm9yZw==\n# who\n\nYQ==\r\nYWI=\n");
	parse(&f, HEAD "email.from; dataset:isset,from,type string,load from.lst; sid:1;)\n" HEAD
		       "email.to; dataset:isnotset,from,type string; sid:2;)\n");
	assert_non_null(f.matcher);
	assert_int_equal(f.list.datasets_count, 1);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, "spam@example.org"), 1);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, "a"), 1);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, "ab"), 1);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, "spam@example.orgs"), 0);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, ""), 0);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_TO, "ab"), 0);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_TO, "abc"), 1);
	rules_fixture_fini(&f);
}

static void a_hash_is_one_of_a_files_too(void **state)
{
	struct rules_fixture f;

	write_file("md5.lst", "900150983cd24fb0d6963f7d28e17f72\n"); /* "abc" */
	write_file("sha.lst", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\n");
	parse(&f,
	      HEAD "email.subject; to_md5; dataset:isset,m,type md5,load md5.lst; sid:1;)\n" HEAD
		   "file.data; to_sha256; dataset:isset,s,type sha256,load sha.lst; sid:2;)\n" HEAD
		   "email.subject; to_lowercase; to_md5; dataset:isset,m,type md5,load md5.lst; "
		   "sid:3;)\n");
	assert_non_null(f.matcher);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_SUBJECT, "abc"), 2);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_SUBJECT, "ABC"), 1);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_SUBJECT, "abd"), 0);
	assert_int_equal(hits(&f, RULE_BUFFER_FILE_DATA, "abc"), 1);
	assert_int_equal(hits(&f, RULE_BUFFER_FILE_DATA, "abd"), 0);
	rules_fixture_fini(&f);
}

static void many_values_are_each_found(void **state)
{
	struct rules_fixture f;
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/many.lst", scratch_dir);
	out = fopen(path, "w");
	assert_non_null(out);
	for (int i = 0; i < 5000; i++) /* "AAAA" to "ZZZZ": three bytes each */
		fprintf(out, "%c%c%c%c\n", 'A' + i % 26, 'A' + i / 26 % 26, 'A' + i / 676 % 26,
			'B');
	assert_int_equal(fclose(out), 0);
	parse(&f, HEAD "email.subject; dataset:isset,many,type string,load many.lst; sid:1;)\n");
	assert_non_null(f.matcher);
	for (int i = 0; i < 5000; i++) {
		unsigned v = (unsigned)(i % 26) << 18 | (unsigned)(i / 26 % 26) << 12 |
			     (unsigned)(i / 676 % 26) << 6 | 1;
		char text[4] = {(char)(v >> 16), (char)(v >> 8), (char)v, 0};
		bool whole = text[0] && text[1] && text[2];

		if (whole) /* as a C string */
			assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_SUBJECT, text), 1);
	}
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_SUBJECT, "xyz"), 0);
	rules_fixture_fini(&f);
}

static const struct {
	const char *file, *option, *message; /* how it begins; %s: the directory */
} mistakes[] = {
	{"", "dataset:isset,x,type string,load none.lst;", "%s/none.lst: No such file"},
	{"no base64\n", "dataset:isset,x,type string,load x.lst;",
	 "%s/x.lst:1: no value in base64"},
	{"YQ==\nYQ=\n", "dataset:isset,x,type string,load x.lst;",
	 "%s/x.lst:2: no value in base64"},
	{"YQ==,100\n", "dataset:isset,x,type string,load x.lst;", "%s/x.lst:1: no value in base64"},
	{"=Q==\n", "dataset:isset,x,type string,load x.lst;", "%s/x.lst:1: no value in base64"},
	{"00\n", "to_md5; dataset:isset,x,type md5,load x.lst;", "%s/x.lst:1: no hash in hex"},
	{"900150983cd24fb0d6963f7d28e17f7z\n", "to_md5; dataset:isset,x,type md5,load x.lst;",
	 "%s/x.lst:1: no hash in hex"},
	{"", "dataset:isset,x,type string,load /etc/passwd;", "load: a file below the rules' own"},
	{"", "dataset:isset,x,type string,load ../x.lst;", "load: a file below the rules' own"},
	{"", "dataset:isset,x,type string;", "dataset: 'load FILE' is missing"},
	{"", "dataset:isset,x,load x.lst;", "dataset: 'type' is missing"},
	{"", "dataset:isset,x,type ipv4,load x.lst;", "dataset: type: expected string"},
	{"", "dataset:add,x,type string,load x.lst;",
	 "dataset: expected isset, isnotset, set or unset"},
	{"", "dataset:isset,x,type string,save x.lst;",
	 "dataset: what rules put in a set is kept in memory, and not saved"},
	{"", "dataset:is,x,type string,load x.lst;",
	 "dataset: expected isset, isnotset, set or unset"},
	{"", "dataset:isset,x,type md5,load x.lst;", "dataset: this type is compared with"},
	{"", "to_md5; dataset:isset,x,type sha256,load x.lst;", "dataset: this type is compared"},
	{"", "dataset:isset,x,type string,load x.lst; to_md5;", "'to_md5' stands right after"},
};

static void a_mistake_in_a_set_is_said(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char rule[512], expected[256];
		struct rules_fixture f;

		write_file("x.lst", mistakes[i].file);
		snprintf(rule, sizeof(rule), HEAD "email.subject; %s sid:1;)\n",
			 mistakes[i].option);
		if (strstr(mistakes[i].message, "%s"))
			snprintf(expected, sizeof(expected), "%s%s", scratch_dir,
				 mistakes[i].message + 2);
		else
			snprintf(expected, sizeof(expected), "%s", mistakes[i].message);
		parse(&f, rule);
		if (!f.diags.errors ||
		    strncmp(f.diags.list[0].message, expected, strlen(expected)) != 0)
			fail_msg("%s\nexpected %s\ngot      %s", rule, expected,
				 f.diags.errors ? f.diags.list[0].message : "nothing");
		rules_fixture_fini(&f);
	}
}

/* Values beyond the memory's half push out others of the set, which counts; nothing else happens.
 */
static void a_set_that_rules_fill_stays_bounded(void **state)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct rules_fixture f;
	struct match_txn txn;
	unsigned kept = 0, counted = 0;
	char text[32];

	parse(&f, HEAD "email.from; dataset:set,s,type string,expire 60; sid:1;)\n" HEAD
		       "email.to; dataset:isset,s,type string; sid:2;)\n");
	assert_non_null(f.matcher);
	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "value %d", i);
		match_begin(f.matcher, &txn, &flow, NULL);
		match_block(f.matcher, &txn, RULE_BUFFER_EMAIL_FROM, text, strlen(text));
		counted += txn.over_budget;
		match_end(f.matcher, &txn);
		assert_int_equal(f.matcher->nhits, 1);
		f.matcher->nhits = 0;
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "value %d", i);
		kept += hits(&f, RULE_BUFFER_EMAIL_TO, text);
	}
	assert_int_equal(kept + counted, 20000);
	assert_true(kept > 0 && counted > 0);
	f.now += 61000000000;
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_TO, text), 0);
	assert_int_equal(hits(&f, RULE_BUFFER_EMAIL_FROM, text), 1);
	rules_fixture_fini(&f);
}

static void a_name_is_one_set(void **state)
{
	struct rules_fixture f;

	write_file("a.lst", "YQ==\n");
	write_file("b.lst", "YQ==\n");
	parse(&f, HEAD "email.from; dataset:isset,s,type string,load a.lst; sid:1;)\n" HEAD
		       "email.to; dataset:isset,s,type string,load b.lst; sid:2;)\n");
	assert_int_equal(f.diags.errors, 1);
	assert_string_equal(f.diags.list[0].message,
			    "dataset: 's' is another type or file elsewhere");
	rules_fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_is_one_of_a_files_values),
		cmocka_unit_test(a_hash_is_one_of_a_files_too),
		cmocka_unit_test(many_values_are_each_found),
		cmocka_unit_test(a_mistake_in_a_set_is_said),
		cmocka_unit_test(a_name_is_one_set),
		cmocka_unit_test(a_set_that_rules_fill_stays_bounded),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
