/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents that end with a reference that is written from the code: held to it, or written anew.
 */
#ifndef POSTERN_TESTS_UNIT_REFERENCE_H
#define POSTERN_TESTS_UNIT_REFERENCE_H

#include "tests/unit/test.h"

struct reference {
	const char *path, *mark;  /* the document, and the line after which the reference begins */
	void (*write)(FILE *out); /* the reference */
	char document[1 << 17], text[1 << 17];
};

/* Reads both; the place in the document after the mark, or NULL. */
static inline char *reference_read(struct reference *r)
{
	FILE *in = fopen(r->path, "r"), *out = fmemopen(r->text, sizeof(r->text), "w");
	size_t len = in ? fread(r->document, 1, sizeof(r->document) - 1, in) : 0;
	char *mark;

	r->document[len] = '\0';
	if (in)
		fclose(in);
	if (!out)
		return NULL;
	r->write(out);
	fclose(out);
	mark = strstr(r->document, r->mark);
	return mark ? mark + strlen(r->mark) : NULL;
}

static inline void reference_check(struct reference *r)
{
	const char *written = reference_read(r);

	assert_non_null(written);
	if (strcmp(written, r->text) != 0)
		fail_msg("%s is out of date: run this test with --write", r->path);
}

/* An exit status. */
static inline int reference_write(struct reference *r)
{
	const char *mark = reference_read(r);
	FILE *out = mark ? fopen(r->path, "w") : NULL;

	if (!out)
		return 1;
	fwrite(r->document, 1, (size_t)(mark - r->document), out);
	fputs(r->text, out);
	return fclose(out) != 0;
}

#endif
