/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/live_keep.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "dataplane/live/live.h"
#include "dataplane/policy/known_file.h"

#define EVERY_S 60
#define SECOND  UINT64_C(1000000000)

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static int keep(struct live *l)
{
	return known_file_write(l->options.known, l->gate->watch, now_ns());
}

static void *keeper(void *arg)
{
	struct live *l = arg;
	struct live_keep *k = &l->keep;
	struct timespec until;

	pthread_mutex_lock(&k->lock);
	while (!k->stop) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += EVERY_S;
		if (pthread_cond_timedwait(&k->wake, &k->lock, &until) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&k->lock);
		atomic_store(&k->error, keep(l));
		pthread_mutex_lock(&k->lock);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

void live_keep_open(struct live *l)
{
	struct live_keep *k = &l->keep;
	char words[KNOWN_WORDS];
	int rc;

	if (!l->options.known)
		return;
	rc = known_file_read(l->options.known, l->gate->watch, snapshot_policy(&l->snapshot),
			     now_ns(), words);
	if (rc == -ENOENT)
		live_log("info", "recipients", "file=%s words=\"nobody is known yet\"",
			 l->options.known);
	else if (rc)
		live_log("warning", "recipients",
			 "file=%s words=\"%s: nobody is known, it begins anew\"", l->options.known,
			 words);
	else
		live_log("info", "recipients", "file=%s words=\"known again\"", l->options.known);
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->wake, NULL);
	rc = pthread_create(&k->thread, NULL, keeper, l);
	k->runs = !rc;
	if (rc)
		live_log("error", "recipients", "words=\"not kept: %s\"", strerror(rc));
}

void live_keep_look(struct live *l)
{
	struct live_keep *k = &l->keep;
	const int error = atomic_load(&k->error);

	if (error != k->told && error)
		live_log("warning", "recipients", "file=%s words=\"can't be kept: %s\"",
			 l->options.known, strerror(-error));
	k->told = error;
}

void live_keep_close(struct live *l)
{
	struct live_keep *k = &l->keep;
	int rc;

	if (!k->runs)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->runs = false;
	rc = keep(l);
	if (rc)
		live_log("warning", "recipients", "file=%s words=\"can't be kept: %s\"",
			 l->options.known, strerror(-rc));
}
