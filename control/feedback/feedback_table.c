/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/mix.h"

#define MAGIC     UINT64_C(0x3262666e72747370) /* "pstrnfb2" */
#define MAGIC_1   UINT64_C(0x3162666e72747370) /* "pstrnfb1": without counts */
#define HEAD_SIZE 4096
#define WAYS      4 /* entries of a bucket: a cache line */

#define EPOCH      INT64_C(1577836800) /* 2020-01-01: minutes from there have room */
#define FLAG_BITS  4
#define MINUTE_MAX (UINT32_MAX >> FLAG_BITS)

#define COUNT_BITS 16

struct feedback_entry {
	uint64_t word; /* the key, and the count behind it; 0: free */
	uint32_t tenant;
	uint32_t stamp; /* minutes since EPOCH, and flags */
};

struct head {
	uint64_t magic, buckets, key[2];
};

static uint32_t minute_of(int64_t now)
{
	const int64_t minute = (now - EPOCH) / 60;

	return minute < 0 ? 0 : minute > MINUTE_MAX ? MINUTE_MAX : (uint32_t)minute;
}

static bool is_over(const struct feedback_entry *e, int64_t now, uint32_t keep)
{
	return (int64_t)minute_of(now) - (int64_t)(e->stamp >> FLAG_BITS) > (int64_t)keep / 60;
}

void feedback_table_hash(const struct feedback_table *t, struct siphash *hash)
{
	siphash_init(hash, (const uint8_t *)t->key);
}

uint64_t feedback_table_key(struct siphash *hash)
{
	const uint64_t key = siphash_end(hash) >> COUNT_BITS;

	return key ? key : 1;
}

static uint64_t key_of(const struct feedback_entry *e)
{
	return e->word >> COUNT_BITS;
}

static uint32_t count_of(const struct feedback_entry *e)
{
	return e->word & FEEDBACK_COUNT_MAX;
}

/* The two buckets of a key. */
static struct feedback_entry *bucket(const struct feedback_table *t, uint64_t key, unsigned which)
{
	const uint64_t half = mix64(which ? ~key : key) >> 32;

	return &t->entry[(half * t->buckets >> 32) * WAYS];
}

static struct feedback_entry *find(const struct feedback_table *t, uint64_t key, uint32_t tenant)
{
	for (unsigned b = 0; t->entry && b < 2; b++) {
		struct feedback_entry *e = bucket(t, key, b);

		for (unsigned i = 0; i < WAYS; i++, e++)
			if (key_of(e) == key && e->tenant == tenant)
				return e;
	}
	return NULL;
}

/* A free one of the bucket that has more of them, or the oldest of both. */
static struct feedback_entry *place(const struct feedback_table *t, uint64_t key)
{
	struct feedback_entry *oldest = bucket(t, key, 0), *free_one = NULL;
	unsigned most = 0;

	for (unsigned b = 0; b < 2; b++) {
		struct feedback_entry *e = bucket(t, key, b), *first = NULL;
		unsigned n = 0;

		for (unsigned i = 0; i < WAYS; i++, e++) {
			n += !e->word;
			first = e->word ? first : e;
			if (e->stamp < oldest->stamp)
				oldest = e;
		}
		free_one = n > most ? first : free_one;
		most = n > most ? n : most;
	}
	return free_one ? free_one : oldest;
}

/* A kill between two stores must not leave a key with another's tenant. */
static void write_entry(struct feedback_entry *e, uint64_t word, uint32_t tenant, uint32_t stamp)
{
	e->word = 0;
	atomic_signal_fence(memory_order_seq_cst);
	e->tenant = tenant;
	e->stamp = stamp;
	atomic_signal_fence(memory_order_seq_cst);
	e->word = word;
}

/* The entry, made new: its flags and count of before go where its time was over. */
static struct feedback_entry *renew(struct feedback_table *t, uint64_t key, uint32_t tenant,
				    unsigned flags, int64_t now, uint32_t keep, bool *is_new)
{
	struct feedback_entry *e = find(t, key, tenant);

	t->put++;
	*is_new = !e || is_over(e, now, keep);
	if (!*is_new) {
		flags |= e->stamp & ((1U << FLAG_BITS) - 1);
		e->stamp = minute_of(now) << FLAG_BITS | flags;
		return e;
	}
	if (!e) {
		e = place(t, key);
		t->replaced += e->word && !is_over(e, now, keep);
	}
	write_entry(e, key << COUNT_BITS, tenant, minute_of(now) << FLAG_BITS | flags);
	return e;
}

bool feedback_table_add(struct feedback_table *t, uint64_t key, uint32_t tenant, unsigned flags,
			uint32_t n, int64_t now, uint32_t keep)
{
	struct feedback_entry *e;
	bool is_new = true;
	uint32_t room;

	if (!t->entry)
		return true;
	e = renew(t, key, tenant, flags, now, keep, &is_new);
	room = FEEDBACK_COUNT_MAX - count_of(e);
	e->word += n < room ? n : room;
	return is_new;
}

bool feedback_table_put(struct feedback_table *t, uint64_t key, uint32_t tenant, unsigned flags,
			int64_t now, uint32_t keep)
{
	return feedback_table_add(t, key, tenant, flags, 0, now, keep);
}

uint32_t feedback_table_count(const struct feedback_table *t, uint64_t key, uint32_t tenant,
			      int64_t now, uint32_t keep)
{
	const struct feedback_entry *e = find(t, key, tenant);

	return e && !is_over(e, now, keep) ? count_of(e) : 0;
}

unsigned feedback_table_find(const struct feedback_table *t, uint64_t key, int64_t now,
			     uint32_t keep, struct feedback_found *found, unsigned max)
{
	unsigned n = 0;

	for (unsigned b = 0; t->entry && b < 2; b++) {
		const struct feedback_entry *e = bucket(t, key, b);

		if (b && e == bucket(t, key, 0))
			break;
		for (unsigned i = 0; i < WAYS; i++, e++) {
			if (key_of(e) != key || is_over(e, now, keep))
				continue;
			if (n < max)
				found[n] = (struct feedback_found){
					e->tenant, e->stamp & ((1U << FLAG_BITS) - 1), count_of(e)};
			n++;
		}
	}
	return n;
}

bool feedback_table_has(const struct feedback_table *t, uint64_t key, uint32_t tenant, int64_t now,
			uint32_t keep, unsigned *flags)
{
	const struct feedback_entry *e = find(t, key, tenant);

	if (!e || is_over(e, now, keep))
		return false;
	if (flags)
		*flags = e->stamp & ((1U << FLAG_BITS) - 1);
	return true;
}

void feedback_table_remove(struct feedback_table *t, uint64_t key, uint32_t tenant)
{
	struct feedback_entry *e = find(t, key, tenant);

	if (e)
		*e = (struct feedback_entry){0};
}

/* The file */

static uint64_t size_of(uint64_t buckets)
{
	return HEAD_SIZE + buckets * WAYS * sizeof(struct feedback_entry);
}

static int map(struct feedback_table *t, int fd, uint64_t buckets)
{
	const struct head *head;

	t->size = (size_t)size_of(buckets);
	t->map = mmap(NULL, t->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t->map == MAP_FAILED) {
		t->map = NULL;
		return -errno;
	}
	head = t->map;
	t->buckets = buckets;
	memcpy(t->key, head->key, sizeof(t->key));
	t->entry = (void *)((char *)t->map + HEAD_SIZE);
	return 0;
}

/* Room on the disk is taken at once: a page that can't be written later would end the process. */
static int make(struct feedback_table *t, const char *path, uint64_t buckets, const uint64_t *key)
{
	struct head head = {.magic = MAGIC, .buckets = buckets};
	char temporary[PATH_MAX];
	int fd, rc;

	if (key)
		memcpy(head.key, key, sizeof(head.key));
	else if (getrandom(head.key, sizeof(head.key), 0) != sizeof(head.key))
		return -EIO;
	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = -posix_fallocate(fd, 0, (off_t)size_of(buckets));
	if (!rc && pwrite(fd, &head, sizeof(head), 0) != sizeof(head))
		rc = -EIO;
	if (!rc)
		rc = map(t, fd, buckets);
	close(fd);
	if (rc)
		unlink(temporary);
	return rc;
}

static int publish(const char *path)
{
	char temporary[PATH_MAX];

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	return rename(temporary, path) == 0 ? 0 : -errno;
}

/* Opens what is there: 0, -ENOENT, -EBADMSG, -errno. */
static int open_file(struct feedback_table *t, const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	struct head head;
	struct stat st;
	int rc;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    (head.magic != MAGIC && head.magic != MAGIC_1) || !head.buckets ||
	    head.buckets > UINT32_MAX || (uint64_t)st.st_size != size_of(head.buckets))
		rc = -EBADMSG;
	else
		rc = map(t, fd, head.buckets);
	close(fd);
	return rc;
}

static bool is_of_today(const struct feedback_table *t)
{
	const struct head *head = t->map;

	return head->magic == MAGIC;
}

/*
 * The oldest first would be best; their times go with them, so what makes room is the oldest. Where
 * there are no counts, all of the word was the key: what is one's count now is nothing.
 */
static void move_entries(struct feedback_table *to, const struct feedback_table *from)
{
	const uint64_t mask = is_of_today(from) ? UINT64_MAX : ~(uint64_t)FEEDBACK_COUNT_MAX;

	for (uint64_t i = 0; i < from->buckets * WAYS; i++) {
		const struct feedback_entry *e = &from->entry[i];

		if (e->word)
			write_entry(place(to, key_of(e)), e->word & mask, e->tenant, e->stamp);
	}
}

int feedback_table_open(struct feedback_table *t, const char *path, uint64_t entries)
{
	const uint64_t buckets = (entries + WAYS - 1) / WAYS;
	struct feedback_table old;
	int rc;

	*t = (struct feedback_table){0};
	if (!buckets || buckets > UINT32_MAX)
		return -EINVAL;
	rc = open_file(t, path);
	if (rc == -ENOENT) {
		rc = make(t, path, buckets, NULL);
		return rc ? rc : publish(path);
	}
	if (rc || (t->buckets == buckets && is_of_today(t)))
		return rc;
	old = *t;
	*t = (struct feedback_table){0};
	rc = make(t, path, buckets, old.key);
	if (!rc) {
		move_entries(t, &old);
		rc = publish(path);
	}
	feedback_table_close(&old);
	return rc;
}

void feedback_table_close(struct feedback_table *t)
{
	if (t->map)
		munmap(t->map, t->size);
	*t = (struct feedback_table){0};
}
