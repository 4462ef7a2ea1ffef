/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "control/base/file_replace.h"
#include "control/events/eve.h"
#include "control/events/person.h"

#define ALIAS     "person:"
#define KEY_NAME  "audit.key"
#define CANONICAL (JSON_COMPACT | JSON_SORT_KEYS)

struct audit {
	struct store *store;
	uint8_t key[AUDIT_HASH];
	_Atomic bool found; /* by the writer: broken; who it is told to takes it back */
};

/* What is looked for is read out of the text, so that it can't say something else. */
static const char *const schema[] = {
	"CREATE TABLE audit_entry(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, text TEXT NOT NULL, "
	"at INTEGER GENERATED ALWAYS AS (json_extract(text, '$.at')) VIRTUAL, "
	"tenant INTEGER GENERATED ALWAYS AS (json_extract(text, '$.tenant_id')) VIRTUAL) STRICT;"
	"CREATE INDEX audit_entry_tenant ON audit_entry(tenant, seq);"
	"CREATE TABLE audit_head(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, "
	"hash BLOB NOT NULL, mac BLOB NOT NULL) STRICT;"
	"CREATE TRIGGER audit_entry_changed BEFORE UPDATE ON audit_entry "
	"BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;"
	"CREATE TRIGGER audit_entry_deleted BEFORE DELETE ON audit_entry "
	"BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END",
	"CREATE TABLE audit_person(alias INTEGER PRIMARY KEY, hash INTEGER NOT NULL) STRICT;"
	"CREATE INDEX audit_person_hash ON audit_person(hash)",
	NULL,
};

static const char *const forget[] = {"DELETE FROM audit_person WHERE hash = ?1", NULL};

const struct store_part audit_part = {.name = "audit", .schema = schema, .forget = forget};

/* The key */

static int key_read(struct audit *a, int dir)
{
	int fd = openat(dir, KEY_NAME, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		if (getrandom(a->key, sizeof(a->key), 0) != sizeof(a->key))
			return -EIO;
		return file_replace(dir, KEY_NAME, a->key, sizeof(a->key));
	}
	if (fd < 0)
		return -errno;
	n = read(fd, a->key, sizeof(a->key));
	close(fd);
	return n == sizeof(a->key) ? 0 : -EBADMSG;
}

int audit_open(struct store *store, struct audit **auditp, char error[STORE_ERROR])
{
	struct audit *a = calloc(1, sizeof(*a));
	int rc = a ? key_read(a, store_dir(store)) : -ENOMEM;

	if (rc) {
		snprintf(error, STORE_ERROR, KEY_NAME ": %s",
			 rc == -EBADMSG ? "it is cut short" : strerror(-rc));
		free(a);
		return rc;
	}
	a->store = store;
	*auditp = a;
	return 0;
}

void audit_close(struct audit *a)
{
	free(a);
}

/* The head */

static void head_read(const struct audit *a, struct store_rows *rows, struct audit_head *head)
{
	uint8_t mac[AUDIT_HASH];
	const void *hash, *stored;
	size_t len, stored_len;

	if (!store_column_int(rows, 0))
		return; /* there is none yet */
	head->seq = (uint64_t)store_column_int(rows, 1);
	hash = store_column_blob(rows, 2, &len);
	if (len == AUDIT_HASH)
		memcpy(head->hash, hash, AUDIT_HASH);
	audit_mac(a->key, head->seq, head->hash, mac);
	stored = store_column_blob(rows, 3, &stored_len);
	head->good = len == AUDIT_HASH && stored_len == AUDIT_HASH &&
		     memcmp(mac, stored, AUDIT_HASH) == 0;
}

/* Whether the head's entry is the last that there is; the last that there is, if not. */
static void head_compare(struct store_rows *rows, struct audit_head *head)
{
	const bool there = store_column_int(rows, 4);
	const uint64_t seq = there ? (uint64_t)store_column_int(rows, 5) : 0;
	size_t len = 0;
	const void *hash = there ? store_column_blob(rows, 6, &len) : NULL;

	if (head->good && head->seq == seq &&
	    (!there || (len == AUDIT_HASH && memcmp(hash, head->hash, len) == 0)))
		return;
	*head = (struct audit_head){.seq = seq > head->seq ? seq : head->seq};
	if (len == AUDIT_HASH)
		memcpy(head->hash, hash, len);
}

/* Both in one look: between two of them the writer may have gone on. */
#define HEAD                                                                   \
	"SELECT h.one, h.seq, h.hash, h.mac, e.seq IS NOT NULL, e.seq, e.hash" \
	" FROM (SELECT max(seq) AS seq FROM audit_entry) AS last"              \
	" LEFT JOIN audit_head AS h LEFT JOIN audit_entry AS e ON e.seq = last.seq"

static int head_take(const struct audit *a, struct store_rows *rows, struct audit_head *head)
{
	*head = (struct audit_head){.good = true};
	if (store_next(rows)) {
		head_read(a, rows, head);
		head_compare(rows, head);
	}
	return store_end(rows);
}

struct audit_head audit_head(const struct audit *a)
{
	struct audit_head head;

	head_take(a, store_query(a->store, HEAD), &head);
	return head;
}

bool audit_found_broken(struct audit *a)
{
	return atomic_exchange(&a->found, false);
}

/* Appending; the writer's thread */

struct addition {
	struct audit *audit;
	uint64_t time;
	char text[]; /* with its NUL */
};

static int append(struct store_db *db, const struct audit *a, struct audit_head *head,
		  const char *text)
{
	uint8_t mac[AUDIT_HASH], hash[AUDIT_HASH];
	int rc;

	audit_hash(head->hash, text, hash);
	memcpy(head->hash, hash, sizeof(hash));
	head->seq++;
	audit_mac(a->key, head->seq, head->hash, mac);
	rc = store_db_run(db, "INSERT INTO audit_entry(seq, hash, text) VALUES (?1, ?2, ?3)",
			  STORE_INT(head->seq), STORE_BLOB(hash, sizeof(hash)), STORE_TEXT(text));
	if (!rc)
		rc = store_db_run(db,
				  "INSERT OR REPLACE INTO audit_head(one, seq, hash, mac) "
				  "VALUES (1, ?1, ?2, ?3)",
				  STORE_INT(head->seq), STORE_BLOB(hash, sizeof(hash)),
				  STORE_BLOB(mac, sizeof(mac)));
	return rc;
}

static int append_broken(struct store_db *db, const struct addition *add, struct audit_head *head)
{
	char text[256], time[EVE_TIME_SIZE];

	snprintf(text, sizeof(text),
		 "{\"action\":\"" AUDIT_BROKEN "\",\"actor\":\"posternd\",\"at\":%llu,"
		 "\"time\":\"%s\"}",
		 (unsigned long long)add->time, eve_time(time, add->time));
	return append(db, add->audit, head, text);
}

static int add_entry(struct store_db *db, void *arg)
{
	const struct addition *add = arg;
	struct audit_head head;
	int rc = head_take(add->audit, store_db_query(db, HEAD), &head);

	if (!rc && !head.good) {
		atomic_store(&add->audit->found, true);
		rc = append_broken(db, add, &head);
	}
	return rc ? rc : append(db, add->audit, &head, add->text);
}

/* Entries */

static char *note_text(const struct audit_note *n)
{
	char time[EVE_TIME_SIZE], *text = NULL;
	json_t *entry = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I}", "action", n->action, "actor",
				  n->actor, "at", (json_int_t)n->time, "time",
				  eve_time(time, n->time), "uid", (json_int_t)n->uid, "generation",
				  (json_int_t)n->generation);
	int failed = !entry;

	if (!failed && n->fields)
		failed = json_object_update_missing(entry, n->fields);
	if (!failed && n->tenant)
		failed = json_object_set_new(entry, "tenant_id", json_integer(n->tenant));
	if (!failed && n->tenant_name)
		failed = json_object_set_new(entry, "tenant", json_string(n->tenant_name));
	if (!failed)
		text = json_dumps(entry, CANONICAL);
	json_decref(entry);
	json_decref(n->fields);
	return text;
}

int audit_add(struct audit *a, struct store_unit *unit, const struct audit_note *note)
{
	char *text = note_text(note);
	const size_t size = text ? strlen(text) + 1 : 0;
	struct addition *add = text ? malloc(sizeof(*add) + size) : NULL;

	if (add) {
		add->audit = a;
		add->time = note->time;
		memcpy(add->text, text, size);
		store_call(unit, add_entry, add, sizeof(*add) + size);
	}
	free(text);
	free(add);
	return add ? 0 : -ENOMEM;
}

/* People */

const char *audit_person(struct store_unit *unit, uint64_t person, char text[AUDIT_PERSON])
{
	uint64_t alias = 0;

	while (!alias)
		if (getrandom(&alias, sizeof(alias), 0) != sizeof(alias))
			alias = 0;
	if (person)
		store_add(unit, "INSERT INTO audit_person(alias, hash) VALUES (?1, ?2)",
			  STORE_INT(alias), STORE_INT(person));
	snprintf(text, AUDIT_PERSON, ALIAS "%016llx", (unsigned long long)alias);
	return text;
}

static void add_person(const struct audit *a, const char *text, json_t *persons)
{
	char alias[AUDIT_PERSON], hash[PERSON_TEXT];
	struct store_rows *rows;

	snprintf(alias, sizeof(alias), "%s", text);
	if (strlen(alias) != AUDIT_PERSON - 1 ||
	    strspn(alias + strlen(ALIAS), "0123456789abcdef") != 16)
		return;
	rows = store_query(a->store, "SELECT hash FROM audit_person WHERE alias = ?1",
			   STORE_INT(strtoull(alias + strlen(ALIAS), NULL, 16)));
	if (store_next(rows))
		json_object_set_new(
			persons, alias,
			json_string(person_text((uint64_t)store_column_int(rows, 0), hash)));
	store_end(rows);
}

/* Who the aliases in the text are, of those who were not forgotten. */
static void add_persons(const struct audit *a, json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "text"));
	json_t *persons = NULL;

	for (const char *p = text ? strstr(text, ALIAS) : NULL; p; p = strstr(p + 1, ALIAS)) {
		if (!persons)
			persons = json_object();
		add_person(a, p, persons);
	}
	if (json_object_size(persons))
		json_object_set(entry, "persons", persons);
	json_decref(persons);
}

static json_t *entry_json(struct store_rows *rows)
{
	char hash[AUDIT_HEX] = "", previous[AUDIT_HEX];
	static const uint8_t zero[AUDIT_HASH];
	const void *blob;
	size_t len;

	blob = store_column_blob(rows, 1, &len);
	if (len == AUDIT_HASH)
		audit_hex(blob, hash);
	blob = store_column_blob(rows, 3, &len);
	audit_hex(len == AUDIT_HASH ? blob : zero, previous);
	return json_pack("{s:I, s:s, s:s, s:s}", "seq", (json_int_t)store_column_int(rows, 0),
			 "hash", hash, "previous", previous, "text", store_column_text(rows, 2));
}

json_t *audit_entries(const struct audit *a, uint64_t after, unsigned limit, uint32_t tenant,
		      uint64_t from, uint64_t to)
{
	struct store_rows *rows =
		store_query(a->store,
			    "SELECT e.seq, e.hash, e.text, p.hash FROM audit_entry e "
			    "LEFT JOIN audit_entry p ON p.seq = e.seq - 1 WHERE e.seq > ?1 "
			    "AND (?3 = 0 OR e.tenant = ?3) AND ifnull(e.at, 0) >= ?4 AND "
			    "ifnull(e.at, 0) < ?5 ORDER BY "
			    "e.seq LIMIT ?2",
			    STORE_INT(after), STORE_INT(limit), STORE_INT(tenant), STORE_INT(from),
			    STORE_INT(to > INT64_MAX ? INT64_MAX : to));
	json_t *list = json_array(), *entry;
	int failed = !list;
	size_t i;

	while (!failed && store_next(rows))
		failed = json_array_append_new(list, entry_json(rows));
	json_array_foreach(list, i, entry) add_persons(a, entry);
	if (store_end(rows) == 0 && !failed)
		return list;
	json_decref(list);
	return NULL;
}
