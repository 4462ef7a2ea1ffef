/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC   0x314e4b50u /* "PKN1" */
#define VERSION 2
#define CHUNK   ((size_t)64 << 10)
#define DAY     (UINT64_C(86400) * 1000000000)

/* Followed by `tenants` records, then the cells: SKETCH_ROWS times `width`. */
struct head {
	uint32_t magic, version;
	uint64_t checksum; /* XXH3 of all but this word */
	uint64_t width;
	uint64_t tenants;
	uint64_t began, saved; /* ns since 1970 */
	uint64_t key[2];
};

struct record {
	uint32_t tenant, pad; /* id */
	uint64_t day_recipients, day_domains;
};

/* All of a file in order, and its checksum. */
struct stream {
	int fd;
	XXH3_state_t *sum;
	uint64_t length;
};

static int stream_open(struct stream *s, int fd)
{
	*s = (struct stream){.fd = fd, .sum = XXH3_createState()};
	if (!s->sum)
		return -ENOMEM;
	XXH3_64bits_reset(s->sum);
	return 0;
}

/* Of the head all but the checksum. */
static void stream_head(struct stream *s, struct head head)
{
	head.checksum = 0;
	XXH3_64bits_update(s->sum, &head, sizeof(head));
	s->length = sizeof(head);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && memcmp(p, p + 1, len - 1) == 0);
}

static int stream_put(struct stream *s, const void *p, size_t len)
{
	XXH3_64bits_update(s->sum, p, len);
	/* What was never used is a hole. */
	for (size_t at = 0; at < len && !is_zero(p, len);) {
		ssize_t n =
			pwrite(s->fd, (const uint8_t *)p + at, len - at, (off_t)(s->length + at));

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	s->length += len;
	return 0;
}

static int stream_get(struct stream *s, void *p, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = pread(s->fd, (uint8_t *)p + at, len - at, (off_t)(s->length + at));

		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		at += (size_t)n;
	}
	XXH3_64bits_update(s->sum, p, len);
	s->length += len;
	return 0;
}

/* Writing */

/*
 * Of all tenants that have counts: the caller's to free(). Taken once: who has a first recipient
 * meanwhile is in the next file, and in nobody's place in this one.
 */
static struct record *records_of(const struct mail_watch *w, uint64_t *count)
{
	const uint32_t slots = mail_watch_slots(w);
	struct record *records = calloc(slots, sizeof(*records));

	*count = 0;
	for (uint32_t slot = 1; records && slot < slots; slot++) {
		const struct tenant_watch *t = &w->tenant[slot];
		const uint32_t tenant = atomic_load(&t->day_tenant);

		if (!tenant)
			continue;
		records[(*count)++] = (struct record){
			.tenant = tenant,
			.day_recipients = atomic_load(&t->day_recipients),
			.day_domains = atomic_load(&t->day_domains),
		};
	}
	return records;
}

/* Workers go on meanwhile: what is summed up is what is written. */
static int put_cells(struct stream *s, const struct known_set *set)
{
	const size_t size = SKETCH_ROWS * set->width;
	uint8_t *chunk = malloc(CHUNK);
	int rc = chunk ? 0 : -ENOMEM;

	for (size_t at = 0; at < size && !rc; at += CHUNK) {
		const size_t len = size - at < CHUNK ? size - at : CHUNK;

		for (size_t i = 0; i < len; i++)
			chunk[i] = atomic_load_explicit(&set->cells[at + i], memory_order_relaxed);
		rc = stream_put(s, chunk, len);
	}
	free(chunk);
	return rc;
}

static int write_parts(struct stream *s, struct head *head, const struct record *records,
		       const struct mail_watch *w)
{
	int rc;

	stream_head(s, *head);
	rc = stream_put(s, records, head->tenants * sizeof(*records));
	if (!rc)
		rc = put_cells(s, &w->known);
	head->checksum = XXH3_64bits_digest(s->sum);
	if (!rc && (ftruncate(s->fd, (off_t)s->length) < 0 ||
		    pwrite(s->fd, head, sizeof(*head), 0) != sizeof(*head) || fsync(s->fd) < 0))
		rc = -errno;
	return rc;
}

static int write_all(int fd, const struct mail_watch *w, uint64_t now)
{
	struct head head = {
		.magic = MAGIC,
		.version = VERSION,
		.width = w->known.width,
		.began = atomic_load(&w->began),
		.saved = now,
		.key = {w->key[0], w->key[1]},
	};
	struct record *records = records_of(w, &head.tenants);
	struct stream s;
	int rc = records ? stream_open(&s, fd) : -ENOMEM;

	if (!rc) {
		rc = write_parts(&s, &head, records, w);
		XXH3_freeState(s.sum);
	}
	free(records);
	return rc;
}

int known_file_write(const char *path, const struct mail_watch *w, uint64_t now)
{
	char draft[PATH_MAX];
	int fd, rc;

	if (snprintf(draft, sizeof(draft), "%s.new", path) >= (int)sizeof(draft))
		return -ENAMETOOLONG;
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, w, now);
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(draft, path) < 0)
		rc = -errno;
	if (rc)
		unlink(draft);
	return rc;
}

/* Reading */

static const char *head_wrong(const struct head *head, const struct mail_watch *w, uint64_t size,
			      uint64_t now)
{
	if (head->magic != MAGIC)
		return "it is none of ours";
	if (head->version != VERSION)
		return "it is of another version";
	if (head->width != w->known.width)
		return "budgets.known_recipients was another";
	if (head->tenants > size / sizeof(struct record) ||
	    size != sizeof(*head) + head->tenants * sizeof(struct record) +
			    SKETCH_ROWS * w->known.width)
		return "it is cut off, or longer than it should be";
	/* A cell tells 255 days apart. */
	if (head->saved < now && now - head->saved > KNOWN_DAYS_MAX * DAY)
		return "it is too old";
	return NULL;
}

static int record_order(const void *pa, const void *pb)
{
	const struct record *a = pa, *b = pb;

	return (a->tenant > b->tenant) - (a->tenant < b->tenant);
}

/* By id: tenants may have other slots by now. */
static void take_records(struct mail_watch *w, const struct policy *policy, struct record *records,
			 uint64_t count)
{
	qsort(records, count, sizeof(*records), record_order);
	for (uint32_t slot = 1; slot < policy->slot_count && slot < mail_watch_slots(w); slot++) {
		const struct record key = {.tenant = policy->slots[slot].id};
		const struct record *r =
			key.tenant ? bsearch(&key, records, count, sizeof(key), record_order)
				   : NULL;

		if (!r)
			continue;
		atomic_store(&w->tenant[slot].day_tenant, r->tenant);
		atomic_store(&w->tenant[slot].day_recipients, r->day_recipients);
		atomic_store(&w->tenant[slot].day_domains, r->day_domains);
	}
}

static int read_body(int fd, const struct head *head, struct mail_watch *w, struct record *records)
{
	struct stream s;
	int rc = stream_open(&s, fd);

	if (rc)
		return rc;
	stream_head(&s, *head);
	rc = stream_get(&s, records, head->tenants * sizeof(*records));
	if (!rc)
		rc = stream_get(&s, (void *)(uintptr_t)w->known.cells,
				SKETCH_ROWS * w->known.width);
	if (!rc && XXH3_64bits_digest(s.sum) != head->checksum)
		rc = -EBADMSG;
	XXH3_freeState(s.sum);
	return rc;
}

static int read_all(int fd, struct mail_watch *w, const struct policy *policy, uint64_t now,
		    char words[KNOWN_WORDS])
{
	struct record *records;
	const char *wrong;
	struct head head;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		memset(&head, 0, sizeof(head));
	wrong = head_wrong(&head, w, (uint64_t)st.st_size, now);
	snprintf(words, KNOWN_WORDS, "%s", wrong ? wrong : "it is damaged");
	if (wrong)
		return -EBADMSG;
	records = calloc(head.tenants + 1, sizeof(*records));
	rc = records ? read_body(fd, &head, w, records) : -ENOMEM;
	if (rc) {
		memset((void *)(uintptr_t)w->known.cells, 0, SKETCH_ROWS * w->known.width);
	} else {
		take_records(w, policy, records, head.tenants);
		memcpy(w->key, head.key, sizeof(w->key));
		atomic_store(&w->began, head.began);
	}
	free(records);
	return rc;
}

int known_file_read(const char *path, struct mail_watch *w, const struct policy *policy,
		    uint64_t now, char words[KNOWN_WORDS])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

	words[0] = '\0';
	if (fd < 0) {
		rc = -errno;
		snprintf(words, KNOWN_WORDS, "%s", strerror(-rc));
		return rc;
	}
	rc = read_all(fd, w, policy, now, words);
	close(fd);
	return rc;
}
