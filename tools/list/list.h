/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern list`: lists of millions, through posternd or straight in its state directory. */
#ifndef POSTERN_TOOLS_LIST_H
#define POSTERN_TOOLS_LIST_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/live/live_page.h"

struct list_call {
	const char *config; /* NULL: through posternd */
	const char *socket;
	bool global, json, skip_bad, replaces, at_once;
	const char *column, *since;       /* NULL */
	const char *verb, *tenant, *kind; /* tenant NULL: everybody's */
	char **rest;                      /* entries, or the file */
	int count;
};

/* Each is the command's exit status after saying why on standard error; *result is the caller's. */
int list_live(const struct list_call *call, json_t **result);
int list_straight(const struct list_call *call, json_t **result);

/* 0, or 1 after saying which file can't be read. -1 at the end of it. */
int list_open_file(const char *path, int *fd);

/* Bad lines, on standard error. */
void list_problems(const json_t *report);

void list_page(struct page_out *out, const struct list_call *call, const json_t *result);

int list_main(int argc, char **argv);

#endif
