/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/notice_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const schema[] = {
	"CREATE TABLE notice_one(id INTEGER PRIMARY KEY, about INTEGER NOT NULL,"
	" channel INTEGER NOT NULL, target TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT "
	"NULL,"
	" tenant INTEGER NOT NULL, made INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	" next INTEGER NOT NULL) STRICT",
	NULL,
};

static const char *const words[] = {
	STORE_WORDS("notice_one", "subject"),
	STORE_WORDS("notice_one", "text"),
	NULL,
};

const struct store_part notice_part = {.name = "notice", .schema = schema, .words = words};

uint64_t notice_pause(const struct notice_config *c, unsigned attempts)
{
	uint64_t pause = c->first;

	while (attempts > 1 && pause < c->most) {
		pause *= 2;
		attempts--;
	}
	return pause < c->most ? pause : c->most;
}

bool notice_is_final(enum notice_channel channel, long code)
{
	/* RFC 5321 4.2.1: 5yz is for ever. RFC 9110 15.5: so is 4xx, but for what says "later". */
	if (channel == NOTICE_MAIL)
		return code >= 500 && code < 600;
	return code >= 400 && code < 500 && code != 408 && code != 429;
}

static void one_free(struct notice_one *one)
{
	free(one->target);
	free(one->subject);
	free(one->text);
	free(one);
}

static struct notice_one *one_new(const struct notice *notice)
{
	struct notice_one *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->target = strdup(notice->target);
	one->subject = strdup(notice->subject ? notice->subject : "");
	one->text = strdup(notice->text);
	one->about = notice->about;
	one->channel = notice->channel;
	one->tenant = notice->tenant;
	if (one->target && one->subject && one->text)
		return one;
	one_free(one);
	return NULL;
}

static void enqueue(struct notices *n, struct notice_one *one)
{
	TAILQ_INSERT_TAIL(&n->queue, one, entry);
	n->counts.waiting++;
}

static void forget(struct notices *n, struct notice_one *one)
{
	TAILQ_REMOVE(&n->queue, one, entry);
	n->counts.waiting--;
	one_free(one);
}

static int load(struct notices *n)
{
	struct store_rows *rows = store_query(
		n->store, "SELECT id, about, channel, target, subject, text, tenant, made,"
			  " attempts, next FROM notice_one ORDER BY id");
	int rc = 0;

	while (!rc && store_next(rows)) {
		char *target = strdup(store_column_text(rows, 3));
		char *subject = strdup(store_column_text(rows, 4));
		struct notice_one *one = one_new(&(struct notice){
			.about = (uint64_t)store_column_int(rows, 1),
			.channel = store_column_int(rows, 2) ? NOTICE_MAIL : NOTICE_WEBHOOK,
			.target = target ? target : "",
			.subject = subject,
			.text = store_column_text(rows, 5),
			.tenant = store_column_int(rows, 6),
		});

		free(target);
		free(subject);
		if (!one) {
			rc = -ENOMEM;
			break;
		}
		one->id = (uint64_t)store_column_int(rows, 0);
		one->made = (uint64_t)store_column_int(rows, 7);
		one->attempts = (unsigned)store_column_int(rows, 8);
		one->next = (uint64_t)store_column_int(rows, 9);
		n->last = one->id;
		enqueue(n, one);
	}
	return store_end(rows) && !rc ? -EIO : rc;
}

int notices_open(struct event_base *base, struct store *store, const struct notice_config *config,
		 void (*done)(void *ctx, const struct notice *notice,
			      const struct notice_outcome *outcome),
		 void *ctx, struct notices **noticesp)
{
	struct notices *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	TAILQ_INIT(&n->queue);
	n->store = store;
	n->config = *config;
	n->done = done;
	n->ctx = ctx;
	rc = load(n);
	if (!rc)
		rc = notice_wire_open(n, base);
	if (rc) {
		notices_close(n);
		return rc;
	}
	*noticesp = n;
	return 0;
}

void notices_close(struct notices *n)
{
	if (!n)
		return;
	notice_wire_close(n);
	while (!TAILQ_EMPTY(&n->queue))
		forget(n, TAILQ_FIRST(&n->queue));
	free(n);
}

int notice_add(struct notices *n, struct store_unit *unit, const struct notice *notice,
	       uint64_t now)
{
	struct notice_one *one;

	if (n->counts.waiting >= NOTICES_MAX) {
		n->counts.refused++;
		return -ENOBUFS;
	}
	one = one_new(notice);
	if (!one)
		return -ENOMEM;
	one->id = ++n->last;
	one->made = one->next = now;
	store_add(unit,
		  "INSERT INTO notice_one(id, about, channel, target, subject, text, tenant, made,"
		  " attempts, next) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?8)",
		  STORE_INT(one->id), STORE_INT(one->about), STORE_INT(one->channel),
		  STORE_TEXT(one->target), STORE_TEXT(one->subject), STORE_TEXT(one->text),
		  STORE_INT(one->tenant), STORE_INT(now));
	enqueue(n, one);
	return 0;
}

void notices_turn(struct notices *n, uint64_t now)
{
	struct notice_one *one;

	TAILQ_FOREACH (one, &n->queue, entry) {
		if (n->busy == NOTICE_BUSY_MAX)
			return;
		if (!one->wire && one->next <= now && notice_wire_begin(n, one) != 0)
			return;
	}
}

static void store_attempt(struct notices *n, const struct notice_one *one, bool gone)
{
	struct store_unit *unit = store_begin(n->store);

	if (gone)
		store_add(unit, "DELETE FROM notice_one WHERE id = ?1", STORE_INT(one->id));
	else
		store_add(unit, "UPDATE notice_one SET attempts = ?2, next = ?3 WHERE id = ?1",
			  STORE_INT(one->id), STORE_INT(one->attempts), STORE_INT(one->next));
	store_commit(n->store, unit, NULL, NULL);
}

void notice_attempted(struct notices *n, struct notice_one *one, bool sent, long code,
		      const char *error, uint64_t now)
{
	struct notice_outcome outcome = {.sent = sent, .attempts = ++one->attempts};
	const struct notice notice = {one->id,      one->about, one->channel, one->target,
				      one->subject, one->text,  one->tenant};
	bool gone;

	one->next = now + notice_pause(&n->config, one->attempts);
	outcome.over = !sent && (notice_is_final(one->channel, code) ||
				 one->next >= one->made + n->config.until);
	outcome.next = one->next;
	if (!sent)
		strncat(outcome.error, error, sizeof(outcome.error) - 1);
	n->counts.sent += sent;
	n->counts.failed += !sent;
	n->counts.refused += outcome.over;
	gone = sent || outcome.over;
	store_attempt(n, one, gone);
	n->done(n->ctx, &notice, &outcome);
	if (gone)
		forget(n, one);
}

struct notice_counts notices_counts(const struct notices *n)
{
	return n->counts;
}
