/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ceiling of the gate: Hyperscan alone over the same bytes and patterns.
 *
 *     hs_ceiling CAPTURE PATTERNS LOOPS
 *
 * Payloads of a capture that postern-gen wrote lie in one arena, direction by
 * direction of each flow, so nothing but hs_scan_stream() is left to do: no
 * headers, no order, no protocol. Every direction is one stream, fed a packet
 * at a time. PATTERNS: lines of ID:/expression/flags, flags "" or "i".
 *
 * Prints one JSON object.
 */
#include <err.h>
#include <hs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/capture/capture_reader.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct piece {
	uint64_t direction; /* hash of addresses, ports, protocol */
	uint32_t at, len;   /* in the arena */
};

struct payloads {
	uint8_t *bytes;
	size_t used, room;
	struct piece *piece;
	size_t count, pieces;
};

struct patterns {
	char **text;
	unsigned *flags, *ids;
	unsigned count;
};

static void *grown(void *array, size_t *room, size_t want, size_t unit)
{
	if (want <= *room)
		return array;
	*room = 2 * want + 4096;
	array = reallocarray(array, *room, unit);
	if (!array)
		err(1, "hs_ceiling");
	return array;
}

/* Where the payload of an Ethernet frame begins, 0: none. `direction`: whose it is. */
static uint32_t payload_of(const uint8_t *p, uint32_t len, uint64_t *direction)
{
	bool v6 = len > 14 && p[14] >> 4 == 6;
	uint32_t l4 = v6 ? 54 : 14 + (len > 14 ? (p[14] & 15) * 4u : 0), at;
	uint8_t proto;

	if (len < l4 + 20)
		return 0;
	proto = p[v6 ? 20 : 23];
	at = proto == 6 ? l4 + (p[l4 + 12] >> 4) * 4u : l4 + 8;
	/* Both addresses and both ports. */
	*direction = XXH3_64bits_withSeed(p + (v6 ? 22 : 26), v6 ? 32 : 8, proto) ^
		     XXH3_64bits(p + l4, 4);
	return at;
}

static void read_payloads(struct payloads *all, const char *path)
{
	struct capture_reader *reader;
	struct capture_packet packet;
	char error[CAPTURE_ERRBUF];

	if (capture_open(path, &reader, error) != 0)
		errx(1, "%s", error);
	while (capture_next(reader, &packet) > 0) {
		uint64_t direction;
		uint32_t at = payload_of(packet.data, packet.caplen, &direction);

		if (!at || at >= packet.caplen)
			continue;
		all->piece = grown(all->piece, &all->pieces, all->count + 1, sizeof(*all->piece));
		all->bytes = grown(all->bytes, &all->room, all->used + packet.caplen, 1);
		all->piece[all->count++] =
			(struct piece){direction, (uint32_t)all->used, packet.caplen - at};
		memcpy(all->bytes + all->used, packet.data + at, packet.caplen - at);
		all->used += packet.caplen - at;
	}
	capture_close(reader);
}

static int by_direction(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->direction != y->direction)
		return x->direction < y->direction ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* A direction's bytes stand together, in order. */
static void group_payloads(struct payloads *all)
{
	uint8_t *bytes = malloc(all->used + 1);
	uint32_t at = 0;

	if (!bytes)
		err(1, "hs_ceiling");
	qsort(all->piece, all->count, sizeof(*all->piece), by_direction);
	for (size_t i = 0; i < all->count; i++) {
		memcpy(bytes + at, all->bytes + all->piece[i].at, all->piece[i].len);
		all->piece[i].at = at;
		at += all->piece[i].len;
	}
	free(all->bytes);
	all->bytes = bytes;
}

static void read_patterns(struct patterns *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, room = 0, flags_room = 0, ids_room = 0;

	if (!f)
		err(1, "%s", path);
	while (getline(&line, &size, f) > 0) {
		char *begin = strstr(line, ":/"), *end = strrchr(line, '/');

		if (!begin || end < begin + 2)
			errx(1, "%s: not ID:/expression/flags: %s", path, line);
		p->text = grown(p->text, &room, p->count + 1, sizeof(*p->text));
		p->flags = grown(p->flags, &flags_room, p->count + 1, sizeof(*p->flags));
		p->ids = grown(p->ids, &ids_room, p->count + 1, sizeof(*p->ids));
		p->text[p->count] = strndup(begin + 2, (size_t)(end - begin - 2));
		p->flags[p->count] = HS_FLAG_SINGLEMATCH | (end[1] == 'i' ? HS_FLAG_CASELESS : 0u);
		p->ids[p->count] = p->count;
		p->count++;
	}
	free(line);
	fclose(f);
}

static int on_match(unsigned int id, unsigned long long from, unsigned long long to,
		    unsigned int flags, void *context)
{
	++*(uint64_t *)context;
	return 0;
}

static uint64_t scan(const struct payloads *all, hs_stream_t *stream, hs_scratch_t *scratch)
{
	uint64_t hits = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct piece *p = &all->piece[i];

		hs_scan_stream(stream, (const char *)all->bytes + p->at, p->len, 0, scratch,
			       on_match, &hits);
		if (i + 1 == all->count || all->piece[i + 1].direction != p->direction)
			hs_reset_stream(stream, 0, scratch, on_match, &hits);
	}
	return hits;
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct payloads all = {0};
	struct patterns patterns = {0};
	hs_database_t *db;
	hs_compile_error_t *error;
	hs_scratch_t *scratch = NULL;
	hs_stream_t *stream;
	uint64_t hits = 0;
	unsigned loops;
	double began;

	if (argc != 4)
		errx(2, "usage: hs_ceiling CAPTURE PATTERNS LOOPS");
	read_payloads(&all, argv[1]);
	group_payloads(&all);
	read_patterns(&patterns, argv[2]);
	loops = (unsigned)atoi(argv[3]);
	if (hs_compile_multi((const char *const *)patterns.text, patterns.flags, patterns.ids,
			     patterns.count, HS_MODE_STREAM, NULL, &db, &error) != HS_SUCCESS)
		errx(1, "%s: %s", argv[2], error->message);
	if (hs_alloc_scratch(db, &scratch) != HS_SUCCESS ||
	    hs_open_stream(db, 0, &stream) != HS_SUCCESS)
		errx(1, "not enough memory");
	hits = scan(&all, stream, scratch); /* warms up */
	began = cpu_seconds();
	for (unsigned i = 0; i < loops; i++)
		hits = scan(&all, stream, scratch);
	printf("{\"payload_bytes\": %zu, \"pieces\": %zu, \"loops\": %u, \"hits\": %lu, "
	       "\"cpu_s\": %f}\n",
	       all.used, all.count, loops, (unsigned long)hits, cpu_seconds() - began);
	hs_close_stream(stream, NULL, NULL, NULL);
	hs_free_scratch(scratch);
	hs_free_database(db);
	for (unsigned i = 0; i < patterns.count; i++)
		free(patterns.text[i]);
	free(patterns.text);
	free(patterns.flags);
	free(patterns.ids);
	free(all.piece);
	free(all.bytes);
	return 0;
}
