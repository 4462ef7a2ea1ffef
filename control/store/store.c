/* SPDX-License-Identifier: BSD-3-Clause */
/* What the event loop's thread does: handing over, what comes back, opening and closing. */
#include "control/store/store.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/log.h"
#include "control/store/store_internal.h"

#define LOCK_TRIES    20
#define LOCK_PAUSE_MS 25

/* The loop's thread */

bool store_ready(struct store *s)
{
	bool ready;

	pthread_mutex_lock(&s->mutex);
	ready = s->stats.bytes < STORE_ROOM / 2;
	s->stats.waited += !ready;
	pthread_mutex_unlock(&s->mutex);
	return ready;
}

static int enqueue(struct store *s, struct store_unit *u)
{
	int rc = 0;

	pthread_mutex_lock(&s->mutex);
	if (s->stats.bytes + store_unit_bytes(u) > STORE_ROOM && s->stats.queued) {
		s->stats.lost++;
		rc = -ENOBUFS;
	} else {
		STAILQ_INSERT_TAIL(&s->queue, u, entry);
		s->stats.queued++;
		s->stats.bytes += store_unit_bytes(u);
		s->urgent |= u->done != NULL;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->mutex);
	return rc;
}

int store_commit(struct store *s, struct store_unit *u,
		 void (*done)(void *ctx, const struct store_result *result), void *ctx)
{
	int rc = u ? u->failed : -ENOMEM;

	if (!rc) {
		u->done = done;
		u->ctx = ctx;
		rc = enqueue(s, u);
	}
	if (rc) {
		store_unit_free(u);
		log_warning("state has no room", "error=%s", log_text(strerror(-rc)));
	}
	return rc;
}

static void forget_words(struct store_unit *u, const struct store_part *part, const char *word)
{
	for (size_t n = 0; part->words && part->words[n]; n++)
		store_add(u, part->words[n], STORE_TEXT(word));
}

int store_forget(struct store *s, struct store_unit *u, uint64_t person, const char *const *words,
		 void (*done)(void *ctx, const struct store_result *result), void *ctx)
{
	for (size_t i = 0; s->parts[i]; i++) {
		for (size_t n = 0; s->parts[i]->forget && s->parts[i]->forget[n]; n++)
			store_add(u, s->parts[i]->forget[n], STORE_INT(person));
		for (size_t n = 0; words && words[n]; n++)
			forget_words(u, s->parts[i], words[n]);
	}
	if (u)
		u->scrub = true;
	return store_commit(s, u, done, ctx);
}

int store_expire(struct store *s, const struct store_part *part, uint64_t before, unsigned limit,
		 void (*done)(void *ctx, const struct store_result *result), void *ctx)
{
	struct store_unit *u = store_begin(s);

	store_add(u, part->expire, STORE_INT(before), STORE_INT(limit));
	store_add(u, "PRAGMA incremental_vacuum(256)");
	return store_commit(s, u, done, ctx);
}

void store_dispatch(struct store *s)
{
	struct store_units done = STAILQ_HEAD_INITIALIZER(done);
	struct store_unit *u;

	pthread_mutex_lock(&s->mutex);
	STAILQ_CONCAT(&done, &s->done);
	pthread_mutex_unlock(&s->mutex);
	while ((u = STAILQ_FIRST(&done))) {
		STAILQ_REMOVE_HEAD(&done, entry);
		if (u->result.rc)
			log_error("state can't be stored", "error=%s why=%s",
				  log_text(strerror(-u->result.rc)),
				  log_text(store_stats(s).error));
		if (u->done)
			u->done(u->ctx, &u->result);
		store_unit_free(u);
	}
}

static void on_woken(evutil_socket_t fd, short what, void *ctx)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		store_dispatch(ctx);
}

void store_settle(struct store *s)
{
	pthread_mutex_lock(&s->mutex);
	s->urgent = !STAILQ_EMPTY(&s->queue);
	pthread_cond_signal(&s->work);
	while (!STAILQ_EMPTY(&s->queue) || s->busy || s->retry)
		pthread_cond_wait(&s->idle, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
}

void store_sync(struct store *s)
{
	store_settle(s);
	store_dispatch(s);
}

static uint64_t size_of(const struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

struct store_stats store_stats(struct store *s)
{
	struct store_stats stats;

	pthread_mutex_lock(&s->mutex);
	stats = s->stats;
	pthread_mutex_unlock(&s->mutex);
	return stats;
}

void store_sizes(const struct store *s, struct store_sizes *sizes)
{
	sizes->database = size_of(s, STORE_NAME);
	sizes->log = size_of(s, STORE_LOG);
}

void store_probe(struct store *s)
{
	struct store_unit *u;
	struct store_stats stats;

	pthread_mutex_lock(&s->mutex);
	stats = s->stats;
	s->retry |= stats.kept != 0;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->mutex);
	if (!stats.trouble || stats.kept)
		return;
	u = store_begin(s);
	store_add_fleeting(u, "INSERT INTO part(name, version) VALUES ('', 0)"
			      " ON CONFLICT(name) DO UPDATE SET version = 1 - version");
	store_commit(s, u, NULL, NULL);
}

void store_retry(struct store *s)
{
	store_sync(s);
	store_probe(s);
	store_sync(s);
}

struct store_rows *store_query_list(struct store *s, const char *sql,
				    const struct store_value *values, size_t n)
{
	return store_db_query_list(&s->reader, sql, values, n);
}

int store_dir(const struct store *s)
{
	return s->dir;
}

/* Opening, closing */

/*
 * A posternd that was killed may have been about to start a child, which has its files until it is
 * told of the death, or closes them: moments.
 */
static bool lock_soon(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		nanosleep(&pause, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

static int lock_dir(struct store *s, char *error)
{
	s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock >= 0 && lock_soon(s->lock))
		return 0;
	if (s->lock >= 0 && errno == EWOULDBLOCK) {
		snprintf(error, STORE_ERROR, "another posternd has it open");
		return -EBUSY;
	}
	snprintf(error, STORE_ERROR, "lock: %s", strerror(errno));
	return -errno;
}

static int open_both(struct store *s, const char *path, const struct store_part *const *parts,
		     char *error)
{
	int rc = store_schema_open(&s->writer, s->dir, path, parts, error);

	if (rc)
		return rc;
	store_db_checkpoints(&s->writer);
	rc = store_db_open(&s->reader, path, SQLITE_OPEN_READONLY);
	if (rc)
		snprintf(error, STORE_ERROR, "%s", s->reader.error);
	return rc;
}

static int start_thread(struct store *s, struct event_base *base)
{
	sigset_t all, before;
	int rc;

	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0)
		return -errno;
	if (base) {
		s->woken = event_new(base, s->wake, EV_READ | EV_PERSIST, on_woken, s);
		if (!s->woken || event_add(s->woken, NULL) != 0)
			return -ENOMEM;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->busy = true;
	rc = -pthread_create(&s->thread, NULL, store_write_units, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->running = rc == 0;
	return rc;
}

#ifdef __SANITIZE_ADDRESS__
/*
 * posternd's children are forks of it. libc's allocator can be used in them whatever this thread
 * was at; the sanitizer's can't: a lock that the writer holds at that moment is never let go there.
 * So with it, and only then, a fork waits until the writer has nothing in hand.
 */
static struct store *forking;

static void before_fork(void)
{
	if (!forking)
		return;
	pthread_mutex_lock(&forking->mutex);
	while (forking->busy)
		pthread_cond_wait(&forking->idle, &forking->mutex);
}

static void after_fork(void)
{
	if (forking)
		pthread_mutex_unlock(&forking->mutex);
}

static void mind_forks(struct store *s)
{
	static bool once;

	if (!once)
		pthread_atfork(before_fork, after_fork, after_fork);
	once = true;
	forking = s;
}
#else
static void mind_forks(struct store *s)
{
}
#endif

static struct store *store_new(void)
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->dir = s->lock = s->wake = -1;
	STAILQ_INIT(&s->queue);
	STAILQ_INIT(&s->done);
	STAILQ_INIT(&s->kept);
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->idle, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

int store_open(const char *dir, const struct store_part *const *parts, struct event_base *base,
	       struct store **storep, char error[STORE_ERROR])
{
	struct store *s = store_new();
	char path[PATH_MAX], why[STORE_ERROR] = "no memory";
	bool file = false;
	int rc = s ? 0 : -ENOMEM;

	if (s)
		s->parts = parts;
	if (!rc && snprintf(path, sizeof(path), "%s/" STORE_NAME, dir) >= (int)sizeof(path))
		rc = -ENAMETOOLONG;
	if (!rc && (s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = -errno;
	if (rc)
		snprintf(why, sizeof(why), "%s", strerror(-rc));
	else
		rc = lock_dir(s, why);
	if (!rc) {
		file = true;
		rc = open_both(s, path, parts, why);
	}
	if (!rc && (rc = start_thread(s, base)) != 0)
		snprintf(why, sizeof(why), "%s", strerror(-rc));
	if (!rc) {
		mind_forks(s);
		*storep = s;
		return 0;
	}
	snprintf(error, STORE_ERROR, "%.200s%s: %.250s", dir, file ? "/" STORE_NAME : "", why);
	store_close(s);
	return rc;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->running) {
		mind_forks(NULL);
		store_sync(s);
		pthread_mutex_lock(&s->mutex);
		s->stop = true;
		pthread_cond_signal(&s->work);
		pthread_mutex_unlock(&s->mutex);
		pthread_join(s->thread, NULL);
		store_dispatch(s);
	}
	store_kept_lose(s);
	if (s->woken)
		event_free(s->woken);
	if (s->wake >= 0)
		close(s->wake);
	store_db_close(&s->reader);
	store_db_close(&s->writer);
	if (s->lock >= 0)
		close(s->lock);
	if (s->dir >= 0)
		close(s->dir);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}
