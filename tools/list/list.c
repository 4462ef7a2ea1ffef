/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/list/list.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lists/list_kind.h"
#include "tools/live/live_client.h"

static const char usage[] =
	"usage: postern list import TENANT|--global KIND FILE [--column NAME] [--skip-bad]\n"
	"                    [--replace] [--since TIME|AGO] [--now]\n"
	"       postern list add|remove|check TENANT|--global KIND ENTRY...\n"
	"       postern list show [TENANT|--global]\n"
	"  KIND is optout, dnc, trap, trap-recycled, domain, forwarder, number, sms,\n"
	"  sms-stop, suppressed or invalid-domain.\n"
	"  FILE has an entry a line, or columns (CSV); it may be gzip'ed; - is standard input.\n"
	"  Entries are kept as keyed hashes: nobody can list them, what was put in can be asked "
	"for.\n"
	"  --global         the provider's list, for every tenant, instead of a tenant's\n"
	"  --column NAME    the file is CSV, and its header names the column\n"
	"  --skip-bad       bad lines are told and left out; without it they stop the import\n"
	"  --replace        what was on the list before goes\n"
	"  --since TIME     when they opted out, 2026-11-30T08:00:00Z, or how long ago, 3d; "
	"without\n"
	"                   it now: the list holds for them lists.optout_grace later\n"
	"  --now            the list holds for them at once\n"
	"  -c, --config FILE  without posternd: its configuration, whose state_dir has the lists\n"
	"      --socket PATH  posternd's; without: POSTERN_SOCKET, or " LIVE_SOCKET "\n"
	"      --json         the result as JSON\n";

int list_open_file(const char *path, int *fd)
{
	*fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	fprintf(stderr, "postern: %s: %s\n", path, strerror(errno));
	return 1;
}

void list_problems(const json_t *report)
{
	uint64_t bad = (uint64_t)json_integer_value(json_object_get(report, "bad"));
	const json_t *problems = json_object_get(report, "problems");

	live_problems(problems);
	if (bad > json_array_size(problems))
		fprintf(stderr, "  and %llu more\n",
			(unsigned long long)(bad - json_array_size(problems)));
}

enum { OPT_COLUMN = 256, OPT_SINCE, OPT_SOCKET };

static int parse_options(struct list_call *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"global", no_argument, NULL, 'g'},
		{"column", required_argument, NULL, OPT_COLUMN},
		{"skip-bad", no_argument, NULL, 's'},
		{"replace", no_argument, NULL, 'r'},
		{"since", required_argument, NULL, OPT_SINCE},
		{"now", no_argument, NULL, 'n'},
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	c->socket = live_socket();
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'g':
			c->global = true;
			break;
		case OPT_COLUMN:
			c->column = optarg;
			break;
		case 's':
			c->skip_bad = true;
			break;
		case 'r':
			c->replaces = true;
			break;
		case OPT_SINCE:
			c->since = optarg;
			break;
		case 'n':
			c->at_once = true;
			break;
		case 'c':
			c->config = optarg;
			break;
		case OPT_SOCKET:
			c->socket = optarg;
			break;
		case 'j':
			c->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	return -1;
}

static bool is_verb(const char *verb)
{
	static const char *const verbs[] = {"import", "add", "remove", "check", "show"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	return false;
}

/* The words after the options; false: they are no way to call it. */
static bool parse_words(struct list_call *c, int argc, char **argv)
{
	bool import;

	if (!argc || !is_verb(argv[0]))
		return false;
	c->verb = *argv++;
	argc--;
	if (!c->global && argc) {
		c->tenant = *argv++;
		argc--;
	}
	if (strcmp(c->verb, "show") == 0)
		return argc == 0;
	if (argc < 2 || (!c->global && !c->tenant))
		return false;
	import = strcmp(c->verb, "import") == 0;
	c->kind = argv[0];
	c->rest = argv + 1;
	c->count = argc - 1;
	return import ? c->count == 1 : !c->column && !c->skip_bad && !c->replaces;
}

/* What posternd would say, too, after a file of millions was read. */
static int check_kind(const struct list_call *c)
{
	const struct list_kind_info *info = c->kind ? list_kind_find(c->kind) : NULL;

	if (!c->kind)
		return 0;
	if (!info) {
		fprintf(stderr, "postern list: there is no kind of list '%s': it is %s\n", c->kind,
			list_kind_names());
		return 2;
	}
	if (c->global ? info->global : info->tenant)
		return 0;
	fprintf(stderr, "postern list: %s lists are %s\n", info->name,
		c->global ? "a tenant's own: say whose" : "the provider's: --global");
	return 2;
}

static int no_export(void)
{
	fputs("postern list: there is nothing to export: a list is kept as keyed hashes, of which "
	      "no\n"
	      "address or number can be made again. 'postern list check' asks for single ones,\n"
	      "'postern list show' counts them.\n",
	      stderr);
	return 1;
}

static void print(const struct list_call *c, const json_t *result)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};

	if (c->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		fputc('\n', stdout);
	} else {
		list_page(&out, c, result);
	}
}

int list_main(int argc, char **argv)
{
	struct list_call c = {0};
	json_t *result = NULL;
	int rc = parse_options(&c, argc, argv);

	if (rc >= 0)
		return rc;
	if (optind < argc && strcmp(argv[optind], "export") == 0)
		return no_export();
	if (!parse_words(&c, argc - optind, argv + optind) || (c.since && c.at_once)) {
		fputs(usage, stderr);
		return 2;
	}
	rc = check_kind(&c);
	if (!rc)
		rc = c.config ? list_straight(&c, &result) : list_live(&c, &result);
	if (result)
		print(&c, result);
	json_decref(result);
	return rc;
}
