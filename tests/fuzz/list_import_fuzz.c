/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of entries, as lines and as columns: in pieces as they come or whole, the same entries and
 * the same bad lines. The first byte says which kind, the second how large a piece is.
 */
#include <stdlib.h>
#include <string.h>

#include "control/lists/list_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const uint64_t key[2] = {1, 2};

struct read {
	struct diag diag;
	struct list_import import;
	int rc;
};

static void read_pieces(struct read *r, const uint8_t *data, size_t size, size_t piece,
			unsigned kind, const char *column)
{
	*r = (struct read){0};
	r->import = (struct list_import){
		.info = &list_kinds[kind],
		.key = key,
		.owner = 1,
		.name = "f",
		.column = column,
		.diag = &r->diag,
	};
	for (size_t at = 0; at < size && !r->rc; at += piece)
		r->rc = list_import_feed(&r->import, (const char *)data + at,
					 piece < size - at ? piece : size - at);
	if (!r->rc)
		r->rc = list_import_end(&r->import);
}

static void read_fini(struct read *r)
{
	list_import_fini(&r->import);
	diag_fini(&r->diag);
}

static void compare(const uint8_t *data, size_t size, size_t piece, unsigned kind,
		    const char *column)
{
	struct read whole, pieces;
	const struct hash_list *a = &whole.import.hashes, *b = &pieces.import.hashes;

	read_pieces(&whole, data, size, size + 1, kind, column);
	read_pieces(&pieces, data, size, piece, kind, column);
	HOLDS(whole.rc == pieces.rc && a->count == b->count);
	HOLDS(!a->count || memcmp(a->hashes, b->hashes, a->count * sizeof(*a->hashes)) == 0);
	HOLDS(whole.import.bad == pieces.import.bad && whole.import.lines == pieces.import.lines);
	HOLDS(whole.diag.errors == whole.import.bad + (whole.rc != 0));
	HOLDS(whole.import.lines >= whole.import.bad);
	read_fini(&whole);
	read_fini(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned kinds = 0;

	if (size < 2)
		return 0;
	while (list_kinds[kinds].name)
		kinds++;
	compare(data + 2, size - 2, 1 + data[1], data[0] % kinds, NULL);
	compare(data + 2, size - 2, 1 + data[1], data[0] % kinds, "mail");
	return 0;
}
