/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening the database: is it one, is it posternd's, is it whole, are its tables of today. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/store_internal.h"

#define APPLICATION 0x504f5354 /* "POST", in the file's header */
#define MAGIC       "SQLite format 3"

static const char *const settings[] = {
	"PRAGMA auto_vacuum=INCREMENTAL", /* of a file without tables */
	"PRAGMA journal_mode=WAL",        /* readers don't wait for the writer */
	"PRAGMA synchronous=FULL",        /* a commit is on the disk when it returns */
	"PRAGMA journal_size_limit=16777216",
	"PRAGMA foreign_keys=ON",
	"PRAGMA secure_delete=ON", /* what is forgotten is not left in free pages */
	"PRAGMA temp_store=MEMORY",
	"PRAGMA cell_size_check=ON",
	NULL,
};

/* Not the database's own files alone: something else may have been put in its place. */
static int check_magic(int dir, char *error)
{
	int fd = openat(dir, STORE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char head[sizeof(MAGIC)];
	ssize_t got;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		int rc = -errno;

		snprintf(error, STORE_ERROR, "%s", strerror(-rc));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	got = pread(fd, head, sizeof(head), 0);
	close(fd);
	if (st.st_size == 0 || (got == sizeof(head) && memcmp(head, MAGIC, sizeof(head)) == 0))
		return 0;
	snprintf(error, STORE_ERROR, "not a database of SQLite's, or its beginning is damaged");
	return -EINVAL;
}

static int number_of(struct store_db *db, const char *sql, int64_t *n)
{
	struct store_rows *rows = store_db_query(db, sql);
	int rc;

	*n = store_next(rows) ? store_column_int(rows, 0) : 0;
	rc = store_end(rows);
	return rc;
}

static int says(struct store_db *db, int rc, char *error)
{
	if (rc)
		snprintf(error, STORE_ERROR, "%s", db->error);
	return rc == -EBADMSG ? -EINVAL : rc;
}

static int check_owner(struct store_db *db, bool *fresh, char *error)
{
	int64_t application = 0, tables = 0;
	int rc = number_of(db, "PRAGMA application_id", &application);

	if (!rc)
		rc = number_of(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc)
		return says(db, rc, error);
	*fresh = !application && !tables;
	if (*fresh || application == APPLICATION)
		return 0;
	snprintf(error, STORE_ERROR, "a database, but not one of posternd's");
	return -EINVAL;
}

static int check_whole(struct store_db *db, char *error)
{
	struct store_rows *rows = store_db_query(db, "PRAGMA quick_check(1)");
	int rc = 0, ended;

	if (store_next(rows) && strcmp(store_column_text(rows, 0), "ok") != 0) {
		snprintf(error, STORE_ERROR, "damaged: %.400s", store_column_text(rows, 0));
		rc = -EINVAL;
	}
	ended = store_end(rows);
	return rc ? rc : says(db, ended, error);
}

static int set_up(struct store_db *db, char *error)
{
	int rc = 0;

	for (size_t i = 0; settings[i] && !rc; i++)
		rc = says(db, store_db_run(db, settings[i]), error);
	return rc;
}

/* Versions */

static int version_of(struct store_db *db, const char *part, int64_t *version)
{
	struct store_rows *rows =
		store_db_query(db, "SELECT version FROM part WHERE name = ?1", STORE_TEXT(part));

	*version = store_next(rows) ? store_column_int(rows, 0) : 0;
	return store_end(rows);
}

static int migrate(struct store_db *db, const struct store_part *part, char *error)
{
	int64_t known = 0, version;
	int rc = version_of(db, part->name, &version);

	while (part->schema[known])
		known++;
	if (!rc && version > known) {
		snprintf(error, STORE_ERROR,
			 "of a newer posternd: \"%s\" is of version %lld, and this one knows %lld",
			 part->name, (long long)version, (long long)known);
		return -EINVAL;
	}
	if (rc || version == known)
		return says(db, rc, error);
	for (; version < known && !rc; version++) {
		int code = sqlite3_exec(db->handle, part->schema[version], NULL, NULL, NULL);

		rc = code == SQLITE_OK ? 0 : store_db_fault(db, code);
	}
	if (!rc)
		rc = store_db_run(db, "INSERT OR REPLACE INTO part(name, version) VALUES (?1, ?2)",
				  STORE_TEXT(part->name), STORE_INT(known));
	return says(db, rc, error);
}

static int migrate_all(struct store_db *db, const struct store_part *const *parts, bool fresh,
		       char *error)
{
	int rc = says(db, store_db_run(db, "BEGIN IMMEDIATE"), error);

	if (rc)
		return rc;
	if (fresh)
		rc = says(db, store_db_run(db, "PRAGMA application_id=1347375956"), error);
	if (!rc)
		rc = says(db,
			  store_db_run(db, "CREATE TABLE IF NOT EXISTS part(name TEXT PRIMARY KEY, "
					   "version INTEGER NOT NULL) STRICT, WITHOUT ROWID"),
			  error);
	for (size_t i = 0; parts[i] && !rc; i++)
		rc = migrate(db, parts[i], error);
	if (rc)
		store_db_run(db, "ROLLBACK");
	else
		rc = says(db, store_db_run(db, "COMMIT"), error);
	return rc;
}

int store_schema_open(struct store_db *db, int dir, const char *path,
		      const struct store_part *const *parts, char *error)
{
	bool fresh = false;
	int rc = check_magic(dir, error);

	_Static_assert(APPLICATION == 1347375956, "the PRAGMA above");
	if (!rc)
		rc = says(db, store_db_open(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE),
			  error);
	if (!rc)
		rc = check_owner(db, &fresh, error);
	if (!rc)
		rc = check_whole(db, error);
	if (!rc)
		rc = set_up(db, error);
	if (!rc)
		rc = migrate_all(db, parts, fresh, error);
	return rc;
}
