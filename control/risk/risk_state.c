/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_state.h"

#include <errno.h>

#include "control/risk/risk_pack.h"

static const char *const schema[] = {
	"CREATE TABLE risk_tenant(tenant INTEGER PRIMARY KEY, level TEXT NOT NULL,"
	" score REAL NOT NULL, time INTEGER NOT NULL, gone INTEGER NOT NULL, data BLOB NOT NULL)"
	" STRICT;"
	"CREATE INDEX risk_tenant_gone ON risk_tenant(gone) WHERE gone > 0",
	NULL,
};

const struct store_part risk_part = {
	.name = "risk",
	.schema = schema,
	.retention = "scores",
	.expire = "DELETE FROM risk_tenant WHERE tenant IN (SELECT tenant FROM risk_tenant WHERE "
		  "gone > 0 AND gone < ?1 LIMIT ?2)",
};

static const char insert[] = "INSERT INTO risk_tenant(tenant, level, score, time, gone, data)"
			     " VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT(tenant) DO UPDATE SET"
			     " level = ?2, score = ?3, time = ?4, gone = 0, data = ?5";

static void put(struct store_unit *unit, const struct risk_board *b, uint32_t slot, uint64_t now,
		void (*add)(struct store_unit *, const char *, const struct store_value *, size_t))
{
	const struct risk_tenant *t = &b->tenant[slot];
	uint8_t data[RISK_PACKED];
	const size_t len = risk_pack(b, slot, data);
	const struct store_value row[] = {
		STORE_INT(b->id[slot]),
		STORE_TEXT(risk_level_name((enum risk_level)t->level)),
		STORE_REAL((double)t->score),
		STORE_INT(now),
		STORE_BLOB(data, len),
	};

	add(unit, insert, row, sizeof(row) / sizeof(row[0]));
}

void risk_state_put(struct store_unit *unit, const struct risk_board *b, uint32_t slot,
		    uint64_t now)
{
	put(unit, b, slot, now, store_add_fleeting_list);
}

void risk_state_put_last(struct store_unit *unit, const struct risk_board *b, uint32_t slot,
			 uint64_t now)
{
	put(unit, b, slot, now, store_add_list);
}

int risk_state_find(struct store *store, uint32_t tenant, struct risk_saved *saved)
{
	struct store_rows *rows = store_query(
		store, "SELECT data FROM risk_tenant WHERE tenant = ?1", STORE_INT(tenant));
	const void *data;
	int rc = -ENOENT, ended;
	size_t len;

	if (store_next(rows)) {
		data = store_column_blob(rows, 0, &len);
		rc = risk_unpack(data, len, saved);
	}
	ended = store_end(rows);
	return ended ? ended : rc;
}

void risk_state_leave(struct store_unit *unit, uint32_t tenant, uint64_t now)
{
	store_add(unit, "UPDATE risk_tenant SET gone = ?2 WHERE tenant = ?1 AND gone = 0",
		  STORE_INT(tenant), STORE_INT(now));
}

void risk_state_return(struct store_unit *unit, uint32_t tenant)
{
	store_add(unit, "UPDATE risk_tenant SET gone = 0 WHERE tenant = ?1", STORE_INT(tenant));
}

uint64_t risk_state_count(struct store *store)
{
	struct store_rows *rows = store_query(store, "SELECT count(*) FROM risk_tenant");
	const uint64_t n = store_next(rows) ? (uint64_t)store_column_int(rows, 0) : 0;

	store_end(rows);
	return n;
}
