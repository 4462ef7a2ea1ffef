/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of scores that posternds of before had: a line a tenant, JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/risk/risk_json.h"
#include "control/risk/risk_pack.h"
#include "control/risk/risk_state.h"

#define NAME    "risk.jsonl"
#define AT_ONCE 1000 /* rows in a unit */

struct taking {
	struct store *store;
	struct store_unit *unit;
	size_t in_unit;
	int rc; /* of what was stored */
	size_t *taken, *bad;
};

static void note_stored(void *ctx, const struct store_result *result)
{
	struct taking *t = ctx;

	if (result->rc)
		t->rc = result->rc;
}

static int flush(struct taking *t)
{
	int rc = store_commit(t->store, t->unit, note_stored, t);

	store_sync(t->store);
	t->unit = NULL;
	t->in_unit = 0;
	return rc ? rc : t->rc;
}

/* A row that is there already is newer than the file. */
static void take_tenant(struct taking *t, uint32_t id, const struct risk_saved *saved)
{
	uint8_t data[RISK_PACKED];
	const size_t len = risk_pack_saved(saved, data);

	if (!t->unit)
		t->unit = store_begin(t->store);
	store_add(t->unit,
		  "INSERT OR IGNORE INTO risk_tenant(tenant, level, score, time, gone, data)"
		  " VALUES (?1, ?2, ?3, ?4, 0, ?5)",
		  STORE_INT(id), STORE_TEXT(risk_level_name((enum risk_level)saved->tenant.level)),
		  STORE_REAL((double)saved->tenant.score), STORE_INT(saved->tenant.scored),
		  STORE_BLOB(data, len));
	t->in_unit++;
	++*t->taken;
}

static void take_line(struct taking *t, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct risk_saved saved = {0};
	uint32_t id;

	if (object && risk_tenant_parse(object, &id, &saved.tenant) == 0)
		take_tenant(t, id, &saved);
	else
		++*t->bad;
	json_decref(object);
}

static int take_lines(struct taking *t, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getline(&line, &size, in)) > 0) {
		take_line(t, line, (size_t)len);
		if (t->in_unit == AT_ONCE)
			rc = flush(t);
	}
	if (!rc && ferror(in))
		rc = -EIO;
	if (t->unit && !rc)
		rc = flush(t);
	store_abandon(t->unit);
	free(line);
	return rc;
}

int risk_state_take_file(struct store *store, size_t *taken, size_t *bad)
{
	struct taking t = {.store = store, .taken = taken, .bad = bad};
	int fd = openat(store_dir(store), NAME, O_RDONLY | O_CLOEXEC), rc;
	FILE *in;

	*taken = *bad = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		return -ENOMEM;
	}
	rc = take_lines(&t, in);
	fclose(in);
	if (!rc && unlinkat(store_dir(store), NAME, 0) != 0)
		rc = -errno;
	return rc;
}
