/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is kept in memory while the disk takes nothing: units that nobody waits for, or whose maker
 * lets them wait (store_keep()), in the order of commits, without what is written anew anyway
 * (store_add_fleeting()). All of it with the store's mutex held, but for the two questions.
 */
#include <errno.h>
#include <stdlib.h>

#include "control/base/log.h"
#include "control/store/store_internal.h"

bool store_is_trouble(int rc)
{
	return rc == -ENOSPC || rc == -EIO || rc == -EROFS || rc == -ENOENT || rc == -EBUSY ||
	       rc == -ENOMEM || rc == -EBADMSG;
}

/* A file that is damaged gets no better by waiting: what meets the damage must not hold all up. */
bool store_unit_is_kept(const struct store_unit *u)
{
	return store_is_trouble(u->result.rc) && u->result.rc != -EBADMSG &&
	       (!u->done || u->keep) && store_unit_lasts(u);
}

/* Whoever waits is told how it went; what waits from now on is the unit without it. */
static int acknowledge(struct store *s, struct store_unit *u)
{
	struct store_unit *ack = u->done ? calloc(1, sizeof(*ack)) : NULL;

	if (!u->done)
		return 0;
	if (!ack)
		return -ENOMEM;
	ack->done = u->done;
	ack->ctx = u->ctx;
	ack->result = u->result;
	u->done = NULL;
	STAILQ_INSERT_TAIL(&s->done, ack, entry);
	return 0;
}

void store_kept_add(struct store *s, struct store_unit *u, uint64_t now)
{
	const size_t before = store_unit_bytes(u);
	size_t bytes = before;
	int rc = store_unit_trim(u);

	if (!rc) {
		bytes = store_unit_bytes(u);
		rc = s->stats.kept_bytes + bytes > STORE_KEPT ? -ENOBUFS : acknowledge(s, u);
	}
	if (rc) {
		s->stats.queued--;
		s->stats.bytes -= before;
		s->stats.lost++;
		STAILQ_INSERT_TAIL(&s->done, u, entry);
		return;
	}
	s->stats.bytes -= before - bytes;
	s->stats.kept_bytes += bytes;
	s->stats.kept++;
	s->stats.postponed++;
	if (!s->stats.kept_since)
		s->stats.kept_since = now;
	STAILQ_INSERT_TAIL(&s->kept, u, entry);
}

void store_kept_leave(struct store *s, const struct store_unit *u)
{
	s->stats.kept--;
	s->stats.kept_bytes -= store_unit_bytes(u);
	if (!s->stats.kept)
		s->stats.kept_since = 0;
}

void store_kept_lose(struct store *s)
{
	struct store_unit *u;

	if (s->stats.kept)
		log_error("what waited for the disk is lost", "units=%llu error=%s",
			  (unsigned long long)s->stats.kept, log_text(s->stats.error));
	while ((u = STAILQ_FIRST(&s->kept))) {
		STAILQ_REMOVE_HEAD(&s->kept, entry);
		store_unit_free(u);
	}
}
