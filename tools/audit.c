/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern audit export` and `verify`, of posternd. */
#include "tools/audit.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/live/live_client.h"
#include "tools/live/live_page.h"

struct call {
	const char *socket, *tenant, *from, *to, *anchor;
	bool json;
	int argc;
	char **argv;
};

static int usage(FILE *out, int status)
{
	fprintf(out,
		"usage: postern audit export [--tenant TENANT] [--from TIME] [--to TIME] [--json]\n"
		"       postern audit verify [--anchor SEQ:HASH] [FILE]\n"
		"  --from, --to   2026-11-30T08:00:00Z, or how long ago: 3d\n"
		"  --json         whole entries, one a line, with the hashes that chain them\n"
		"  --anchor       an entry that must be there: an event \"audit_anchor\" says "
		"them\n"
		"  FILE           of an export of everything with --json; without: asks posternd\n"
		"  --socket PATH  posternd's\n");
	return status;
}

/* Pages: each is asked for behind the last entry of the one before. */

static json_t *page_ask(struct live_client *client, const char *command, const struct call *c,
			uint64_t after)
{
	json_t *arguments = json_pack("{s:I, s:s*, s:s*, s:s*}", "after", (json_int_t)after,
				      "tenant", c->tenant, "from", c->from, "to", c->to);

	return live_ask(client, command, arguments) == 0 ? live_result(client) : NULL;
}

/* Export */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void print_line(struct page_out *out, const json_t *entry)
{
	/* Of commands their arguments; of posternd's own doings what has no column of its own. */
	static const char *const columns[] = {"action",    "actor", "at",  "generation", "tenant",
					      "tenant_id", "time",  "uid", NULL},
				 *const words[] = {"tenant", NULL};
	json_t *said = json_loads(text_of(entry, "text"), 0, NULL);
	const json_t *arguments = json_object_get(said, "arguments");
	const char *tenant = text_of(said, "tenant");
	char seq[24];

	snprintf(seq, sizeof(seq), "%lld",
		 (long long)json_integer_value(json_object_get(entry, "seq")));
	page_cell(out, INK_BOLD, -6, seq);
	page_cell(out, INK_DIM, 2, "");
	page_cell(out, INK_DIM, 33, text_of(said, "time"));
	page_cell(out, INK_PLAIN, 13, text_of(said, "actor"));
	page_cell(out, INK_BOLD, 18, text_of(said, "action"));
	page_cell(out, INK_PLAIN, 16, *tenant ? tenant : "-");
	page_whole(out, INK_PLAIN, " ");
	live_page_fields(out, arguments ? arguments : said, arguments ? words : columns);
	page_newline(out);
	json_decref(said);
}

static uint64_t print_entries(const struct call *c, const json_t *result, uint64_t after,
			      uint64_t head)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};
	const json_t *list = json_object_get(result, "entries");
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		after = (uint64_t)json_integer_value(json_object_get(entry, "seq"));
		if (after > head)
			break;
		if (c->json) {
			json_dumpf(entry, stdout, JSON_COMPACT);
			fputc('\n', stdout);
		} else {
			print_line(&out, entry);
		}
	}
	return after;
}

static int export(const struct call *c)
{
	struct live_client client;
	uint64_t after = 0, head = UINT64_MAX;
	size_t got = 1;
	int rc = live_open(&client, c->socket);

	if (rc)
		return rc;
	/* What the export itself adds lies behind the head that came first. */
	while (got && after < head) {
		json_t *result = page_ask(&client, "audit export", c, after);

		if (!result) {
			rc = 1;
			break;
		}
		if (head == UINT64_MAX)
			head = (uint64_t)json_integer_value(
				json_object_get(json_object_get(result, "head"), "seq"));
		got = json_array_size(json_object_get(result, "entries"));
		after = print_entries(c, result, after, head);
		json_decref(result);
	}
	live_close(&client);
	return rc;
}

/* Verify */

const char *audit_follow(struct audit_walk *walk, const json_t *entry, uint64_t *seq)
{
	const char *hash = json_string_value(json_object_get(entry, "hash"));
	const char *text = json_string_value(json_object_get(entry, "text"));
	uint8_t bytes[AUDIT_HASH];
	const char *why;

	*seq = (uint64_t)json_integer_value(json_object_get(entry, "seq"));
	if (!hash || !text || !audit_unhex(hash, bytes))
		return "it has no hash, or no text";
	why = audit_step(walk, *seq, bytes, text);
	if (!why && strstr(text, "\"action\":\"audit broken\",\"actor\":\"posternd\""))
		return "posternd found here that the entries before it were not as it had left "
		       "them";
	return why;
}

static bool is_anchor(const struct audit_walk *walk, const char *anchor)
{
	char hash[AUDIT_HEX], text[AUDIT_HEX + 24];

	snprintf(text, sizeof(text), "%llu:%s", (unsigned long long)walk->seq,
		 audit_hex(walk->hash, hash));
	return anchor && strcmp(text, anchor) == 0;
}

int audit_verdict(const struct audit_walk *walk, const char *anchor, bool anchored)
{
	char hash[AUDIT_HEX];

	if (anchor && !anchored) {
		printf("audit: FAILED: no entry is %s: the log is not the one that it was\n",
		       anchor);
		return 1;
	}
	if (!walk->seq) {
		printf("audit: FAILED: there are no entries\n");
		return 1;
	}
	printf("audit: %llu entries, each in its place; the last is %llu:%s\n",
	       (unsigned long long)walk->seq, (unsigned long long)walk->seq,
	       audit_hex(walk->hash, hash));
	return 0;
}

static int failed(uint64_t seq, const char *why)
{
	if (seq)
		printf("audit: FAILED at entry %llu: %s\n", (unsigned long long)seq, why);
	else
		printf("audit: FAILED: %s\n", why);
	return 1;
}

int audit_verify_file(const char *path, const char *anchor)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct audit_walk walk = {0};
	bool anchored = false;
	const char *why = NULL;
	char *line = NULL;
	size_t room = 0;
	uint64_t seq = 0;

	if (!in) {
		perror(path);
		return 1;
	}
	while (!why && getline(&line, &room, in) > 0) {
		json_t *entry = json_loads(line, 0, NULL);

		if (entry)
			why = audit_follow(&walk, entry, &seq);
		else
			why = seq ? "the line behind it is no entry"
				  : "its first line is no entry: is it an export with --json?";
		anchored |= is_anchor(&walk, anchor);
		json_decref(entry);
	}
	free(line);
	if (in != stdin)
		fclose(in);
	return why ? failed(seq, why) : audit_verdict(&walk, anchor, anchored);
}

/* Follows a page's entries. true: there are more. */
static bool follow_page(const json_t *result, struct audit_walk *walk, const char *anchor,
			bool *anchored, int *rc)
{
	const json_t *list = json_object_get(result, "entries");
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		uint64_t seq;
		const char *why = audit_follow(walk, entry, &seq);

		if (why) {
			*rc = failed(seq, why);
			return false;
		}
		*anchored |= is_anchor(walk, anchor);
	}
	return json_array_size(list) > 0;
}

/* The end: what posternd, with its key, says is the last must be the last. */
static int compare_head(const json_t *result, const struct audit_walk *walk)
{
	const json_t *head = json_object_get(result, "head");
	const uint64_t seq = (uint64_t)json_integer_value(json_object_get(head, "seq"));
	char hash[AUDIT_HEX];

	if (!json_is_true(json_object_get(head, "good")))
		return failed(walk->seq, "what follows it was cut off, or the record of the last "
					 "entry was changed");
	if (seq != walk->seq || strcmp(text_of(head, "hash"), audit_hex(walk->hash, hash)) != 0)
		return failed(walk->seq, "it is not the last that posternd wrote");
	return 0;
}

static int verify(const struct call *c)
{
	struct audit_walk walk = {0};
	struct live_client client;
	bool anchored = false, more = true;
	int rc = live_open(&client, c->socket);

	if (rc)
		return rc;
	while (more) {
		json_t *result = page_ask(&client, "audit entries", c, walk.seq);

		if (!result) {
			rc = 1;
			break;
		}
		more = follow_page(result, &walk, c->anchor, &anchored, &rc);
		if (!more && !rc)
			rc = compare_head(result, &walk);
		json_decref(result);
	}
	live_close(&client);
	return rc ? rc : audit_verdict(&walk, c->anchor, anchored);
}

/* The call */

enum { OPT_SOCKET = 256, OPT_TENANT, OPT_FROM, OPT_TO, OPT_ANCHOR, OPT_JSON };

static const struct option options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"tenant", required_argument, NULL, OPT_TENANT},
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"anchor", required_argument, NULL, OPT_ANCHOR},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse(struct call *c, int argc, char **argv)
{
	int option;

	c->socket = live_socket();
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		const char **const to[] = {&c->socket, &c->tenant, &c->from, &c->to, &c->anchor};

		if (option == 'h')
			return usage(stdout, 0);
		if (option == '?')
			return usage(stderr, 2);
		if (option == OPT_JSON)
			c->json = true;
		else
			*to[option - OPT_SOCKET] = optarg;
	}
	c->argc = argc - optind;
	c->argv = argv + optind;
	return -1;
}

int audit_main(int argc, char **argv)
{
	struct call c = {0};
	int rc = parse(&c, argc, argv);
	const char *verb = rc < 0 && c.argc ? c.argv[0] : "";

	if (rc >= 0)
		return rc;
	if (strcmp(verb, "export") == 0 && c.argc == 1 && !c.anchor)
		return export(&c);
	if (strcmp(verb, "verify") != 0 || c.argc > 2 || c.tenant || c.from || c.to || c.json)
		return usage(stderr, 2);
	return c.argc == 2 ? audit_verify_file(c.argv[1], c.anchor) : verify(&c);
}
