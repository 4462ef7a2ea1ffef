/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Public rules: every file of the corpus is read, each rule is taken or refused
 * with a reason, and what was taken compiles and loads. Prints the counts.
 *
 *   rules-corpus [CORPUS]      default: $POSTERN_CORPUS; exits 77 where there is none
 */
#include <err.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/rules/rule_import.h"
#include "tests/rules_fixture.h"

/* What a site would say of itself: that the gate does not know it must not hide other reasons. */
static const struct rule_var site[] = {
	{"HTTP_SERVERS", "any"},    {"SQL_SERVERS", "any"},  {"DNS_SERVERS", "any"},
	{"TELNET_SERVERS", "any"},  {"HTTP_PORTS", "80"},    {"FILE_DATA_PORTS", "any"},
	{"ORACLE_PORTS", "1521"},   {"FTP_PORTS", "21"},     {"SSH_PORTS", "22"},
	{"SHELLCODE_PORTS", "!80"}, {"MODBUS_PORTS", "502"}, {"DNP3_PORTS", "20000"},
	{"GENEVE_PORTS", "6081"},   {"VXLAN_PORTS", "4789"}, {"TEREDO_PORTS", "3544"},
};
static const struct rule_vars vars = {site, sizeof(site) / sizeof(site[0])};

static struct {
	unsigned files, taken, refused, mail_taken, mail_refused, warnings, failures;
} count;

/* Rules that name the gate's own protocols. */
static bool is_mail_or_sip(const char *line)
{
	const char *blank = strchr(line, ' ');

	return blank && (!strncmp(blank + 1, "smtp ", 5) || !strncmp(blank + 1, "sip ", 4));
}

static bool starts_rule(const char *line)
{
	return line[strspn(line, " \t")] != '#' && line[strspn(line, " \t\r\n")] != '\0';
}

static void fail(const char *path, unsigned line, const char *what)
{
	count.failures++;
	fprintf(stderr, "%s:%u: %s\n", path, line, what);
}

/* Each line by itself: it must leave a rule or a reason. */
static void check_line(const char *path, unsigned number, const char *line, size_t len)
{
	struct rule_list list = {0};
	struct rule_diags diags = {0};

	rules_parse(&list, &diags, &vars, path, line, len);
	if (list.count + list.refused != 1)
		fail(path, number, "neither taken nor refused");
	if (list.refused && !diags.errors)
		fail(path, number, "refused without a reason");
	if (list.count && diags.errors)
		fail(path, number, "taken with a mistake");
	if (is_mail_or_sip(line)) {
		count.mail_taken += (unsigned)list.count;
		count.mail_refused += (unsigned)list.refused;
	}
	rule_diags_fini(&diags);
	rule_list_fini(&list);
}

static void check_lines(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f)
		err(1, "%s", path);
	for (unsigned number = 1; (len = getline(&line, &size, f)) >= 0; number++) {
		size_t end = (size_t)len;

		while (end && strchr("\r\n", line[end - 1]))
			end--;
		if (starts_rule(line) && line[end ? end - 1 : 0] != '\\')
			check_line(path, number, line, end);
		else if (starts_rule(line)) /* goes on: the file's own reading covers it */
			while (len > 1 && line[len - 2] == '\\')
				len = getline(&line, &size, f);
	}
	free(line);
	fclose(f);
}

/* All files as one set of rules: what is about SMTP or SIP is taken, or has its reason. */
static struct rule_import import = {.renumber = 900000000};

static void import_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t len = f ? getdelim(&text, &room, '\0', f) : -1;

	if (len < 0)
		err(1, "%s", path);
	rule_import_text(&import, path, text, (size_t)len);
	free(text);
	fclose(f);
}

static void check_import(void)
{
	struct rules_fixture f = {.list = import.list};

	for (size_t i = 0; i < import.count; i++) {
		const struct rule_imported *r = &import.rules[i];

		if (r->what <= IMPORT_MAPPED ? !r->text : !r->why)
			fail(r->place.file, r->place.line, "neither taken nor a reason");
		if (r->what == IMPORT_REFUSED && strstr(r->why, "unknown keyword"))
			fail(r->place.file, r->place.line, r->why);
	}
	rules_fixture_build(&f);
	if (!f.matcher)
		fail("import", 0, "what was taken does not compile");
	f.list = (struct rule_list){0}; /* the import's */
	rules_fixture_fini(&f);
	printf("import: %zu taken (%zu with a buffer put before), %zu again, %zu refused, %zu "
	       "about "
	       "something else\n",
	       import.counts[IMPORT_TAKEN] + import.counts[IMPORT_MAPPED],
	       import.counts[IMPORT_MAPPED], import.counts[IMPORT_AGAIN],
	       import.counts[IMPORT_REFUSED], import.counts[IMPORT_OTHER]);
	if (!import.counts[IMPORT_TAKEN] || !import.counts[IMPORT_MAPPED])
		fail("import", 0, "nothing was taken");
	rule_import_fini(&import);
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t len = strlen(path);
	struct rules_fixture f = {0};

	if (type != FTW_F || len < 6 || strcmp(path + len - 6, ".rules") != 0)
		return 0;
	count.files++;
	rules_load_path(&f.list, &f.diags, &vars, path);
	count.taken += (unsigned)f.list.count;
	count.refused += (unsigned)f.list.refused;
	rules_fixture_build(&f);
	count.warnings += (unsigned)f.diags.warnings;
	if (!f.matcher)
		fail(path, 0, "what was taken does not compile");
	rules_fixture_fini(&f);
	check_lines(path);
	import_file(path);
	return 0;
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("POSTERN_CORPUS") ? getenv("POSTERN_CORPUS")
			     : argc > 1               ? argv[1]
						      : "../shared/corpus";
	char rules[4096];

	snprintf(rules, sizeof(rules), "%s/rules", corpus);
	if (access(rules, R_OK) != 0) {
		printf("skipped: no corpus at %s\n", corpus);
		return 77;
	}
	if (nftw(rules, check_file, 16, FTW_PHYS) != 0)
		err(1, "%s", rules);
	check_import();
	printf("%u files: %u rules taken, %u refused; of those on smtp or sip: %u taken, %u "
	       "refused; %u warnings\n",
	       count.files, count.taken, count.refused, count.mail_taken, count.mail_refused,
	       count.warnings);
	if (!count.files || !count.taken)
		fail(rules, 0, "nothing was read");
	return count.failures != 0;
}
