/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/evidence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_record.h"

#define HOUR    UINT64_C(3600000000000) /* ns */
#define PERSONS 64                      /* recipients of one mail that it can be found by */

static const char *const schema[] = {
	"CREATE TABLE evidence_one(id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL,"
	" time INTEGER NOT NULL, flow TEXT NOT NULL, generation INTEGER NOT NULL,"
	" source TEXT NOT NULL, destination TEXT NOT NULL, reason TEXT NOT NULL,"
	" sid INTEGER NOT NULL, reply TEXT NOT NULL, mail_from TEXT NOT NULL,"
	" header BLOB NOT NULL, cut INTEGER NOT NULL) STRICT;"
	"CREATE INDEX evidence_one_tenant ON evidence_one(tenant, id);"
	"CREATE INDEX evidence_one_time ON evidence_one(time);"
	"CREATE TABLE evidence_person(of INTEGER NOT NULL, hash INTEGER NOT NULL) STRICT;"
	"CREATE INDEX evidence_person_hash ON evidence_person(hash);"
	"CREATE INDEX evidence_person_of ON evidence_person(of);"
	"CREATE TRIGGER evidence_one_gone AFTER DELETE ON evidence_one "
	"BEGIN DELETE FROM evidence_person WHERE of = old.id; END",
	"ALTER TABLE evidence_one ADD COLUMN body BLOB;"
	"ALTER TABLE evidence_one ADD COLUMN buffer TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE evidence_one ADD COLUMN at INTEGER NOT NULL DEFAULT 0",
	NULL,
};

static const char *const forget[] = {
	"DELETE FROM evidence_one WHERE id IN (SELECT of FROM evidence_person WHERE hash = ?1)",
	NULL,
};

/* Whom a header names and who was no recipient. */
static const char *const words[] = {
	STORE_WORDS("evidence_one", "header"),
	STORE_WORDS("evidence_one", "mail_from"),
	STORE_WORDS("evidence_one", "reply"),
	NULL,
};

const struct store_part evidence_part = {
	.name = "evidence",
	.schema = schema,
	.retention = "evidence",
	.expire = "DELETE FROM evidence_one WHERE id IN (SELECT id FROM evidence_one WHERE "
		  "time < ?1 ORDER BY time LIMIT ?2)",
	.forget = forget,
	.words = words,
};

int evidence_open(struct evidence *e, uint32_t slots)
{
	*e = (struct evidence){.slots = slots};
	e->quota = calloc(slots, sizeof(*e->quota));
	return e->quota ? 0 : -ENOMEM;
}

void evidence_close(struct evidence *e)
{
	free(e->quota);
	*e = (struct evidence){0};
}

static bool has_room(struct evidence *e, uint32_t slot, uint64_t time)
{
	struct evidence_quota *q = &e->quota[slot];

	if (q->hour != time / HOUR)
		*q = (struct evidence_quota){.hour = time / HOUR};
	if (q->kept >= EVIDENCE_HOURLY) {
		e->beyond++;
		return false;
	}
	q->kept++;
	return true;
}

/* What a record says of one mail. */
struct said {
	struct event_value reason, reply, from, header;
	struct event_value body, buffer; /* of a rule that keeps some */
	uint64_t sid, at;
	bool cut;
	uint64_t person[PERSONS];
	unsigned persons;
};

static void read_record(const struct event_head *head, const struct person_key *key, struct said *s)
{
	struct event_value value;
	struct event_reader r;

	*s = (struct said){0};
	if (!event_open(&r, head, head->size))
		return;
	while (event_next(&r, &value)) {
		switch (value.key) {
		case FIELD_KEY_VERDICT_REASON:
			s->reason = value;
			break;
		case FIELD_KEY_VERDICT_REJECT:
			s->reply = value;
			break;
		case FIELD_KEY_VERDICT_SID:
			s->sid = event_value_uint(&value);
			break;
		case FIELD_KEY_SMTP_MAIL_FROM:
			s->from = value;
			break;
		case FIELD_KEY_SMTP_RCPT_TO:
			if (s->persons < PERSONS)
				s->person[s->persons++] = person_hash(key, value.p, value.len);
			break;
		case FIELD_KEY_EVIDENCE_HEADER:
			s->header = value;
			break;
		case FIELD_KEY_EVIDENCE_CUT:
			s->cut = event_value_bool(&value);
			break;
		case FIELD_KEY_EVIDENCE_BODY:
			s->body = value;
			break;
		case FIELD_KEY_EVIDENCE_BUFFER:
			s->buffer = value;
			break;
		case FIELD_KEY_EVIDENCE_AT:
			s->at = event_value_uint(&value);
			break;
		default:
			break;
		}
	}
}

/* Of bytes from the wire: whatever is no plain text is '?'. */
static const char *plain(const struct event_value *value, char *out, size_t size)
{
	size_t len = value->p ? value->len : 0;

	if (len > size - 1)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = value->p[i] >= ' ' && value->p[i] <= '~' ? (char)value->p[i] : '?';
	out[len] = '\0';
	return out;
}

static const char *address(uint8_t family, const uint8_t bytes[16], char text[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN))
		text[0] = '\0';
	return text;
}

static struct store_value blob_of(const struct event_value *value)
{
	return STORE_BLOB(value->p ? (const void *)value->p : "", value->p ? value->len : 0);
}

bool evidence_take(struct evidence *e, struct store *store, const struct person_key *key,
		   uint32_t id, const struct event_head *head)
{
	char reason[64], reply[256], from[512], flow[24], buffer[32];
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	struct store_unit *unit;
	struct said s;

	if (head->type != EVENT_EVIDENCE || !e->quota || head->tenant >= e->slots || !id ||
	    !has_room(e, head->tenant, head->time))
		return false;
	if (!store_ready(store)) {
		e->lost++;
		return false;
	}
	read_record(head, key, &s);
	snprintf(flow, sizeof(flow), "%llu", (unsigned long long)head->flow_id);
	unit = store_begin(store);
	store_add(unit,
		  "INSERT INTO evidence_one(tenant, time, flow, generation, source, destination, "
		  "reason, sid, reply, mail_from, header, cut, body, buffer, at)"
		  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
		  STORE_INT(id), STORE_INT(head->time), STORE_TEXT(flow),
		  STORE_INT(head->generation), STORE_TEXT(address(head->family, head->src, source)),
		  STORE_TEXT(address(head->family, head->dst, destination)),
		  STORE_TEXT(plain(&s.reason, reason, sizeof(reason))), STORE_INT(s.sid),
		  STORE_TEXT(plain(&s.reply, reply, sizeof(reply))),
		  STORE_TEXT(plain(&s.from, from, sizeof(from))), blob_of(&s.header),
		  STORE_INT(s.cut), blob_of(&s.body),
		  STORE_TEXT(plain(&s.buffer, buffer, sizeof(buffer))), STORE_INT(s.at));
	for (unsigned i = 0; i < s.persons; i++)
		store_add(unit,
			  "INSERT INTO evidence_person(of, hash)"
			  " VALUES ((SELECT max(id) FROM evidence_one), ?1)",
			  STORE_INT(s.person[i]));
	if (store_commit(store, unit, NULL, NULL) != 0) {
		e->lost++;
		return false;
	}
	e->kept++;
	return true;
}
